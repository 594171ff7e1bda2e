"""Reads downloaded tables back, as a spreadsheet does: XLSX by its parts, CSV by its text."""

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
EPOCH = datetime(1899, 12, 30)


@dataclass
class Table:
    """``facts`` above the table, its heads, its rows; empty cells are None."""

    facts: dict
    heads: list
    rows: list

    def column(self, head):
        at = self.heads.index(head)
        return [row[at] for row in self.rows]


def _split(lines):
    """Part the head from the table at the empty line."""
    cut = next(at for at, line in enumerate(lines) if not any(cell is not None for cell in line))
    facts = {line[0]: (line[1] if len(line) > 1 else None) for line in lines[:cut]}
    heads = [cell for cell in lines[cut + 1] if cell is not None]
    rows = [
        [line[at] if at < len(line) else None for at in range(len(heads))]
        for line in lines[cut + 2 :]
    ]
    return Table(facts, heads, rows)


def read_csv(answer) -> Table:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    text = answer.content.decode("utf-8-sig")
    lines = [
        [cell or None for cell in line] for line in csv.reader(io.StringIO(text), delimiter=";")
    ]
    return _split(lines)


def read_xlsx(answer) -> Table:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.testzip() is None
        names = file.namelist()
        strings = []
        if "xl/sharedStrings.xml" in names:
            shared = ET.fromstring(file.read("xl/sharedStrings.xml"))  # noqa: S314 - ours
            strings = ["".join(t.text or "" for t in si.iter(f"{NS}t")) for si in shared]
        styles = ET.fromstring(file.read("xl/styles.xml"))  # noqa: S314 - ours
        sheet = ET.fromstring(file.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - ours
    formats = {each.get("numFmtId"): each.get("formatCode") for each in styles.iter(f"{NS}numFmt")}
    looks = [formats.get(each.get("numFmtId"), "") for each in styles.find(f"{NS}cellXfs")]
    lines = []
    for row in sheet.iter(f"{NS}row"):
        number = int(row.get("r"))
        lines += [[]] * (number - 1 - len(lines))
        line = []
        for cell in row:
            place = _place(cell.get("r"))
            line += [None] * (place - len(line))
            line.append(_value(cell, strings, looks))
        lines.append(line)
    return _split(lines)


def _place(name: str) -> int:
    place = 0
    for letter in re.match("[A-Z]+", name)[0]:
        place = place * 26 + ord(letter) - 64
    return place - 1


def _value(cell, strings, looks):
    assert cell.find(f"{NS}f") is None, "no cell is a formula"
    if cell.get("t") == "inlineStr":
        return "".join(t.text or "" for t in cell.iter(f"{NS}t"))
    text = cell.findtext(f"{NS}v")
    if cell.get("t") == "s":
        return strings[int(text)]
    if text is None:
        return None
    look = looks[int(cell.get("s") or 0)]
    if "yyyy" in look:
        days = Decimal(text)
        at = EPOCH + timedelta(seconds=round(float(days * 86400)))
        return at if "hh" in look else date(at.year, at.month, at.day)
    return Decimal(text)
