"""«Скачать»: a table as a CSV or XLSX file.

A feature gives a ``Sheet``; this module alone knows the forms. Rows may come from a generator:
they are written one by one into a temporary file that stays in memory while it is small.

CSV is UTF-8 with a byte order mark, so that spreadsheets know it. In Russian fields are parted by
«;», decimals by a comma and days written 24.11.2026; in English «,», a point and 2026-11-24. A
text that a spreadsheet would take for a formula gets an apostrophe before it. In XLSX numbers are
numbers with all their digits (as far as a double has them), shown rounded as on the page, dates
are dates, and a text is never a formula. What is unknown is an empty cell, in both.
"""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, TypeAlias

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response, Stream

from hub.domain.spreadsheets import harmless
from hub.web.kit.exact import plain
from hub.web.kit.formats import day_num, moment_num, serial
from hub.web.kit.i18n import NBSP, gettext, language
from hub.web.kit.requests import AnyRequest
from hub.web.kit.views import Change, PointHead

FORMS: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
IN_MEMORY: Final = 1 << 20
CHUNK: Final = 1 << 16
WIDEST, NARROWEST = 60, 11

Cell: TypeAlias = str | Decimal | int | date | datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """``title`` has the unit; ``decimals`` are what a spreadsheet shows of numbers."""

    title: str
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its head: ``facts`` are pairs of label and value; ``name`` is of the file.

    Instants in cells are local and naive; the head says of which zone.
    """

    name: str
    facts: Sequence[tuple[str, Cell]]
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]


def files(address: str, handler: Callable[..., Response[Any]]) -> list[HTTPRouteHandler]:
    """Make the routes of a table's files: the address with each form's ending."""
    return [get(f"{address}.{form}", sync_to_thread=True)(handler) for form in FORMS]


def head_facts(
    head: PointHead, title: str, *, period: str = "", step: str = "", zone: str = ""
) -> list[tuple[str, Cell]]:
    """Say of which point, meter, days and step a file is, by which clock, and when it was made."""
    facts = [
        (title, ""),
        (gettext("Metering point"), head.name),
        (gettext("Meter"), _meter(head)),
        (gettext("Period"), period),
        (gettext("Step"), step),
        (gettext("Time zone"), zone),
        (gettext("Made"), moment_num(head.now)),
    ]
    return [(label, value) for label, value in facts if value or label == title]


def cost_fact(kopecks: int | None) -> list[tuple[str, Cell]]:
    """Say what the whole costs, if its prices are known."""
    return [] if kopecks is None else [(gettext("Cost, ₽"), roubles(kopecks))]


def change_facts(change: Change | None) -> list[tuple[str, Cell]]:
    """Say how much more or less it is than of the days it is compared with."""
    if change is None:
        return []
    return [(gettext("Compared with"), change.to), (gettext("Difference, kWh"), change.kwh)]


def roubles(kopecks: int) -> Decimal:
    return Decimal(kopecks) / 100


def _meter(head: PointHead) -> str:
    number = f"№{NBSP}{serial(head.serial)}" if head.serial else ""
    return ", ".join(part for part in (head.model or "", number) if part)


def download(request: AnyRequest, sheet: Sheet) -> Response[Any]:
    """Answer with the sheet in the form that the address ends in."""
    form = request.url.path.rpartition(".")[2]
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed when it is sent
    try:
        (write_csv if form == "csv" else write_xlsx)(sheet, file)
        size = file.tell() if form == "csv" else file.seek(0, os.SEEK_END)
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{sheet.name}.{form}"',
        "Content-Length": str(size),
        "Cache-Control": "no-store",
    }
    return Stream(_chunks(file), media_type=FORMS[form], headers=headers)


def _chunks(file: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


# -- CSV ---------------------------------------------------------------------------------------


def write_csv(sheet: Sheet, file: IO[bytes]) -> None:
    """Write the head, an empty line, and the table."""
    russian = language.get() == "ru"
    text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
    out = csv.writer(text, delimiter=";" if russian else ",", lineterminator="\r\n")
    out.writerows([_text(cell, russian) for cell in fact if cell != ""] for fact in sheet.facts)
    out.writerow([])
    out.writerow([column.title for column in sheet.columns])
    out.writerows([_text(cell, russian) for cell in row] for row in sheet.rows)
    text.detach()


def _text(cell: Cell, russian: bool) -> str:  # noqa: FBT001 - said once
    if cell is None:
        return ""
    if isinstance(cell, str):
        return harmless(cell)
    if isinstance(cell, Decimal):
        return plain(cell).replace(".", ",") if russian else plain(cell)
    if isinstance(cell, datetime):
        return f"{cell:%d.%m.%Y %H:%M}" if russian else f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, date):
        return day_num(cell) if russian else cell.isoformat()
    return str(cell)


# -- XLSX --------------------------------------------------------------------------------------


def write_xlsx(sheet: Sheet, file: IO[bytes]) -> None:
    """Write the same into a workbook of one sheet; rows leave the memory as they are written."""
    # Loaded by whoever wants such a file: most starts of the hub need it not.
    import xlsxwriter  # noqa: PLC0415

    book = xlsxwriter.Workbook(
        file,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    page = book.add_worksheet()
    bold, title = book.add_format({"bold": True}), book.add_format({"bold": True, "bottom": 1})
    looks = [book.add_format({"num_format": _digits(each.decimals)}) for each in sheet.columns]
    days = {
        date: book.add_format({"num_format": "dd.mm.yyyy", "align": "left"}),
        datetime: book.add_format({"num_format": "dd.mm.yyyy hh:mm", "align": "left"}),
    }

    def put(place: int, cell: Cell, look: Any = None) -> None:
        if isinstance(cell, str) and cell:
            page.write_string(at, place, cell)
        elif isinstance(cell, date):
            page.write_datetime(at, place, cell, days[type(cell)])
        elif isinstance(cell, (Decimal, int)):
            page.write_number(at, place, cell, look)

    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, min(max(len(column.title) + 2, NARROWEST), WIDEST))
    at = 0
    for label, value in sheet.facts:
        page.write_string(at, 0, label, bold)
        put(1, value)
        at += 1
    at += 1
    for place, column in enumerate(sheet.columns):
        page.write_string(at, place, column.title, title)
    for row in sheet.rows:
        at += 1
        for place, cell in enumerate(row):
            put(place, cell, looks[place])
    book.close()


def _digits(decimals: int) -> str:
    return "0." + "0" * decimals if decimals else "General"
