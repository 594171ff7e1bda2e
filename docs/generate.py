"""``make docs``: write the pages of docs/reference that the code already knows.

Commands, errors and settings come from their docstrings, help texts and sentences. A command's
section may go on by hand after the line ``<!-- by hand -->``; that part is kept.
"""

import inspect
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from textwrap import fill

import click

from hub import errors
from hub.cli import hub
from hub.domain.events import KINDS, Kind
from hub.errors import HubError
from hub.locale import NBSP, speaking
from hub.services.sentences import Happening, sentence
from hub.settings import Settings

REFERENCE = Path(__file__).resolve().parent / "reference"
WIDTH = 100
BY_HAND = "<!-- by hand -->"

CLI_HEAD = """# Commands

Every command has `--help`. An error is one plain sentence on stderr with the next step;
`HUB_DEBUG=1` adds the traceback. Exit codes: 0 done, 1 failed, 2 asked wrongly, 130 interrupted.
Where a program would read the output there is `--json`.
"""

ERRORS_HEAD = """# Errors

Every error the hub raises on purpose has a code that never changes, says who is to blame, and
whether the same act may work *now*, *later* or *never*. On the command line and in logs it is one
plain sentence; on a page it is the catalog's message for the code.

The collector and the backoff read *blame* and *retry*, never the class: errors of the line, the
device, a remote system or a plugin wait one minute before the next try, doubling to an hour; errors
of the user wait until something is changed.
"""
# Sentences that are made from what happened.
MADE = {"TooManyRequests": "Too many requests; wait the time that the supplier names."}

EVENTS_HEAD = """# Events

What can happen to a meter, under the names that are stored, given to programs and listed in
`hub.domain.events.KINDS`. Drivers translate their maker's journals into these kinds; what they
can't name is `unknown`, with its raw bytes, and is shown as such.

- **Severity**: *info*, *warning* or *alarm*. A power outage of less than a minute is only an
  information, and so is what a journal lost before it was read for the first time.
- **Lasts**: the event has a beginning and an end. Where the two are read at different visits they
  are joined; until then it *goes on*.
- **Group**: E of the journal 0.0.99.98.E of the Russian open protocol (СПОДЭС), where known.
- **Facts**: what an entry tells besides its times, all as text; units stand in the names.
- Sentences are made from these facts by `hub.services.sentences`, in the language of whoever reads
  them; how long something lasted and by how much a clock was moved is computed.
- An entry is told apart by journal, kind, phase, beginning and its number among those that began in
  the same second, so it may be read any number of times.
- A meter's journals are rings. What was overwritten before it was read is an event of its own,
  `journal_lost`, from the last entry read to the oldest one kept.
- Journals have no season flag. Entries are dated in the season that the meter's clock shows at the
  visit; if that changed since the visit before, in standard time, and may be an hour off.

| kind | severity | lasts | group | facts | in Russian | in English |
|---|---|---|---|---|---|---|
"""
EVENT_FACTS = {
    "phase": "2",
    "tariff": "3",
    "before": "2026-11-12T14:03:10",
    "after": "2026-11-12T14:06:30",
    "shift_s": "200",
    "drift_s": "-12",
    "threshold_s": "5",
    "reason": "too_far",
    "times": "2",
    "map": "00 24 00 00 00 24 00 00",
    "parameters": "0A 0D",
    "faults": "E-01",
    "appeared": "E-01",
    "gone": "E-03",
    "status_word": "00 00 00 00 01 00",
    "serial_before": "00000048",
    "serial_after": "00000049",
}
EVENT_BOOKS = {"ru": "Питание", "en": "Power supply"}

SETTINGS_HEAD = """# Settings

Environment variables, read once when a command starts. None is needed for `hub demo`. Lists are
written with commas.

| variable | means | without it |
|---|---|---|
"""
SETTINGS_TAIL = """
For the command line only:

| variable | means | without it |
|---|---|---|
| `HUB_METER_PASSWORD` | Password for `hub meter read`, out of sight of `ps` | `--password` |
| `HUB_DEBUG` | `1`: an error comes with its traceback | one sentence |
"""
WITHOUT = {
    "database_url": "the file in `HUB_DATA_DIR`",
    "keys": "the file `keys` in `HUB_DATA_DIR`, which `hub keys new` makes",
    "secure_cookies": "as `HUB_BASE_URL` says",
    "smtp_url": "no mail is sent",
    "brand": "the product's name",
    "emergency_phone": "not shown",
    "plugins": "all",
    "metrics_token": "`/metrics` answers this machine only",
}


def commands(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """Give the context of every command that can be called."""
    if not isinstance(command, click.Group):
        yield context
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None:
            yield from commands(inner, click.Context(inner, info_name=name, parent=context))


def cli(by_hand: dict[str, str]) -> str:
    """Write the commands; ``by_hand`` is what follows the generated text, by command."""
    sections = [CLI_HEAD]
    for context in commands(hub, click.Context(hub, info_name="hub")):
        section = _command(context)
        more = by_hand.get(context.command_path)
        sections.append(f"{section}\n{BY_HAND}\n\n{more.strip()}\n" if more else section)
    return "\n".join(sections)


def _command(context: click.Context) -> str:
    command = context.command
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    options = [each for each in command.params if isinstance(each, click.Option)]
    usage = [context.command_path, *map(_argument, arguments)]
    usage += [f"{each.opts[0]} {_metavar(each, context)}" for each in options if each.required]
    usage += ["[OPTIONS]"] if any(not each.required for each in options) else []
    told = inspect.cleandoc(command.help or "").split("\n\n")
    paragraphs = [fill(" ".join(each.split()), WIDTH) for each in told]
    listed = [_option(each, context) for each in options]
    return "\n".join(
        [f"## `{context.command_path}`\n", f"    {' '.join(usage)}\n", "\n\n".join(paragraphs)]
        + (["", *listed] if listed else [])
        + [""]
    )


def _argument(argument: click.Argument) -> str:
    word = argument.metavar or argument.human_readable_name.upper()
    return word if argument.required else f"[{word.strip('[]')}]"


def _metavar(option: click.Option, context: click.Context) -> str:
    if option.metavar is None and isinstance(option.type, click.IntRange | type(click.INT)):
        return "N"
    return option.make_metavar(context)


def _option(option: click.Option, context: click.Context) -> str:
    names = ", ".join(option.opts)
    shown = names if option.is_flag else f"{names} {_metavar(option, context)}"
    told = [(option.help or "").strip()]
    if option.show_default and option.default not in (None, (), ""):
        told.append(f"Default: {option.default}.")
    text = " ".join(filter(None, [f"- `{shown}`:", *told]))
    return fill(text.removesuffix(":"), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def error_page() -> str:
    """Write the tree of errors, in the order of the module."""
    classes = [
        each
        for each in vars(errors).values()
        if inspect.isclass(each) and issubclass(each, HubError) and each is not HubError
    ]
    parts = [ERRORS_HEAD]
    for group in classes:
        if group.code:
            continue
        parts.append(f"## {group.__name__}\n\n{inspect.getdoc(group)}\n")
        parts += [_error(each) for each in classes if each.code and issubclass(each, group)]
    return "\n".join(parts)


def _error(kind: type[HubError]) -> str:
    sentence = MADE.get(kind.__name__) or kind.sentence
    return (
        f"### `{kind.code}`\n\n`{kind.__name__}` · blame: {kind.blame} · retry: {kind.retry}\n\n"
        f"{fill(sentence, WIDTH)}\n"
    )


def settings_page() -> str:
    """Write the variables in the order of the class."""
    rows = []
    for name, field in Settings.model_fields.items():
        match field.default:
            case None | () | "":
                shown = "none"
            case bool(default):
                shown = "yes" if default else "no"
            case default:
                shown = f"`{default}`"
        rows.append(
            f"| `HUB_{name.upper()}` | {field.description} | {WITHOUT.get(name, shown)} |\n"
        )
    return f"{SETTINGS_HEAD}{''.join(rows)}{SETTINGS_TAIL}"


def events_page() -> str:
    """Write the kinds of events in the order of the vocabulary, each with its sentence."""
    rows = [
        f"| `{kind.name}` | {kind.severity} | {'yes' if kind.lasting else ''} "
        f"| {'' if kind.group is None else int(kind.group)} "
        f"| {', '.join(f'`{name}`' for name in kind.fields)} "
        f"| {_event(kind, 'ru')} | {_event(kind, 'en')} |\n"
        for kind in KINDS.values()
    ]
    return EVENTS_HEAD + "".join(rows)


def _event(kind: Kind, tongue: str) -> str:
    began = datetime(2026, 11, 12, 14, 3, 10)  # noqa: DTZ001 -- a face
    lasted = timedelta(minutes=5, seconds=12)
    with speaking(tongue):
        event = Happening(
            kind=kind.name,
            began=began,
            ended=began + lasted,
            lasted=lasted,
            detail={name: EVENT_FACTS[name] for name in kind.fields},
            book=EVENT_BOOKS[tongue],
        )
        return sentence(event, date(2026, 11, 24)).replace(NBSP, " ")


def written_by_hand(page: str) -> dict[str, str]:
    """Find what a page of commands has after the marks."""
    sections = re.split(r"^## `(.+)`$", page, flags=re.MULTILINE)[1:]
    pairs = zip(sections[::2], sections[1::2], strict=True)
    return {name: text.partition(BY_HAND)[2] for name, text in pairs if BY_HAND in text}


def pages() -> dict[Path, str]:
    """Give each generated page with what it should say."""
    page = REFERENCE / "cli.md"
    return {
        page: cli(written_by_hand(page.read_text(encoding="utf-8"))),
        REFERENCE / "errors.md": error_page(),
        REFERENCE / "events.md": events_page(),
        REFERENCE / "settings.md": settings_page(),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
