"""``hub wire log``: a wire log in words."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from hub.cli.kit import pairs, plain
from hub.wire.capture import MASK

if TYPE_CHECKING:
    from hub.plugins.api import DriverSpec
    from hub.wire.transcript import Entry, Remark

LOOK_EVERY_S: Final = 0.3
QUIET: Final = ("length", "crc", "address")  # of every frame the same, and seen in its bytes


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--driver", metavar="NAME", help="Explain each exchange; see 'hub plugin list'.")
@click.option("--hint", "hints", multiple=True, metavar="KEY=VALUE", help="The driver's own.")
@click.option("--line", "line", metavar="LINE", help="Only exchanges on this line.")
@click.option("--key", metavar="A", help="Only exchanges with this meter, mostly its address.")
@click.option("--failed", is_flag=True, help="Only exchanges without a whole answer.")
@click.option("--remarks", is_flag=True, help="Also remarks: openings, bytes nobody asked for.")
@click.option("--follow", is_flag=True, help="Go on as the log grows, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One object a line, for programs.")
def log(
    *,
    file: Path,
    driver: str | None,
    hints: tuple[str, ...],
    line: str | None,
    key: str | None,
    failed: bool,
    remarks: bool,
    follow: bool,
    as_json: bool,
) -> None:
    """Show the wire log FILE: each exchange with its time, verdict and meaning, then a summary."""
    own = pairs(hints, "--hint")

    from hub.wire.transcript import Entry, LogReader

    spec = _spec(driver)
    reader = LogReader()
    counts: Counter[str] = Counter()
    try:
        for text in _lines(file, follow=follow):
            for item in reader.feed(text) if text is not None else reader.rest():
                if not isinstance(item, Entry):
                    if remarks and item.text:
                        _say_remark(item, as_json=as_json)
                elif _wanted(item, line, key, failed=failed):
                    counts[item.verdict or "answered"] += 1
                    _say_entry(item, spec, own, as_json=as_json)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if not as_json:
        total = counts.total()
        told = ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())
        click.echo(f"{total} exchanges{f': {told}' if told else ''}")


def _spec(driver: str | None) -> "DriverSpec[Any] | None":
    if driver is None:
        return None

    from hub.errors import NotSupported
    from hub.plugins.manager import load_plugins

    spec = load_plugins().driver(driver)
    if spec.explain is None:
        raise NotSupported(f"The driver '{driver}' explains no exchanges.")
    return spec


def _lines(path: Path, *, follow: bool) -> Iterator[str | None]:
    """Give the lines there are, then None; with ``follow`` go on, also in the file that follows."""
    file = path.open(encoding="ascii", errors="replace")
    try:
        while True:
            yield from _whole_lines(file, follow=follow)
            if not follow:
                break
            time.sleep(LOOK_EVERY_S)
            if _was_turned_over(path, file):
                yield from _whole_lines(file, follow=False)
                file.close()
                file = path.open(encoding="ascii", errors="replace")
    finally:
        file.close()
    yield None


def _whole_lines(file: IO[str], *, follow: bool) -> Iterator[str]:
    while True:
        place = file.tell()
        line = file.readline()
        if not line:
            return
        if follow and not line.endswith("\n"):
            file.seek(place)  # the rest of it is still to come
            return
        yield line


def _was_turned_over(path: Path, file: IO[str]) -> bool:
    import os

    try:
        now, then = path.stat(), os.fstat(file.fileno())
    except FileNotFoundError:
        return False
    return (now.st_ino, now.st_dev) != (then.st_ino, then.st_dev)


def _wanted(entry: "Entry", line: str | None, key: str | None, *, failed: bool) -> bool:
    return (
        (line is None or entry.line == line)
        and (key is None or entry.key == key)
        and (not failed or bool(entry.verdict))
    )


def _explained(
    entry: "Entry", spec: "DriverSpec[Any] | None", hints: Mapping[str, str]
) -> Mapping[str, Any] | None:
    """Explain an exchange; None where that can't be: no driver, or a masked byte."""
    request, received = entry.request_bytes, entry.received_bytes
    if spec is None or spec.explain is None or not request or received is None:
        return None
    told = spec.explain(request, received or None, hints)
    return {"request": told.request, "response": told.response, "decoded": told.decoded}


def _hex(data: Any) -> str:
    return " ".join(MASK if byte is None else f"{byte:02X}" for byte in data)


def _say_entry(
    entry: "Entry", spec: "DriverSpec[Any] | None", hints: Mapping[str, str], *, as_json: bool
) -> None:
    told = _explained(entry, spec, hints)
    if as_json:
        shown = {
            "at": None if entry.at is None else entry.at.isoformat(),
            "line": entry.line,
            "key": entry.key,
            "request": _hex(entry.request),
            "received": _hex(entry.received),
            "verdict": entry.verdict,
            "seconds": entry.seconds,
            "explained": told,
        }
        click.echo(json.dumps(plain(shown), ensure_ascii=False))
        return
    at = "" if entry.at is None else f"{entry.at:%Y-%m-%d %H:%M:%S.%f}"[:-3]
    seconds = "" if entry.seconds is None else f"{entry.seconds:.3f} s"
    head = [at, entry.line, entry.key, seconds, entry.verdict or "answered"]
    click.echo("  ".join(word for word in head if word))
    click.echo(f"  > {_hex(entry.request)}{_words(told, 'request')}")
    if entry.received:
        mark = "#" if entry.verdict else "<"
        click.echo(f"  {mark} {_hex(entry.received)}{_words(told, 'response', 'decoded')}")


def _words(told: Mapping[str, Any] | None, *parts: str) -> str:
    """Write what the driver says of its bytes: its sentences, or else names and values."""
    if told is None:
        return ""
    said = [str(each) for part in parts for each in told[part].get("says", ())] or [
        f"{name} {value}" if name != "name" else str(value)
        for part in parts
        for name, value in _flat(told[part])
        if name not in QUIET or (name == "crc" and value != "ok")
    ]
    return "".join(f"\n      {each}" for each in said)


def _flat(words: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in words.items():
        shown = plain(value)
        if isinstance(shown, dict):
            yield from _flat(shown, f"{before}{name}.")
        elif shown not in (None, ""):
            yield f"{before}{name}", shown


def _say_remark(remark: "Remark", *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"remark": remark.text}, ensure_ascii=False))
    else:
        click.echo(f"# {remark.text}")
