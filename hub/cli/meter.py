"""``hub meter``: talk to one meter."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from hub.cli.kit import pairs, plain, say_facts, say_json, say_table
from hub.cli.meter_find import find
from hub.cli.meter_now import now

if TYPE_CHECKING:
    from hub.cli.reading import Wish
    from hub.plugins.api import DriverSpec, Level, PluginSettings

WHAT: Final = ("identity", "clock", "registers", "snapshot", "profile", "journal")
# Each ask has its own short time; this bounds a visit whose meter answers but never ends.
LONGEST_VISIT_S: Final = 12 * 3600.0
WAIT_FOR_CALL_S: Final = 180.0  # modems that lost their connection call again within minutes


@click.group()
def meter() -> None:
    """Talk to one meter."""


meter.add_command(find)
meter.add_command(now)


def _face(ctx: click.Context, option: click.Parameter, text: str | None) -> datetime | None:
    del ctx
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"'{text}' is no time; write 2026-11-01 or 2026-11-01T10:30", param=option
        ) from error
    if at.tzinfo is not None:
        raise click.BadParameter("it is the meter's own face, which has no zone", param=option)
    return at


@meter.command()
@click.argument("line")
@click.argument("what", type=click.Choice(WHAT))
@click.option("--driver", required=True, metavar="NAME", help="See 'hub plugin list'.")
@click.option("--address", required=True, type=int, metavar="A", help="Of the meter on its line.")
@click.option(
    "--password",
    envvar="HUB_METER_PASSWORD",
    metavar="111111|-",
    help="'-' asks for it, or reads it from stdin; HUB_METER_PASSWORD does as well.",
)
@click.option("--level", type=click.IntRange(1, 2), default=1, show_default=True, metavar="1|2")
@click.option("--since", callback=_face, metavar="FACE", help="Slots that start at it or later.")
@click.option("--until", callback=_face, metavar="FACE", help="Slots that end at it or before.")
@click.option(
    "--clock-base",
    type=click.IntRange(-720, 840),
    default=180,
    show_default=True,
    metavar="MIN",
    help="Minutes from UTC to the meter's winter time, for the drift.",
)
@click.option("--setting", "settings", multiple=True, metavar="KEY=VALUE", help="The driver's own.")
@click.option(
    "--repeats",
    type=click.IntRange(0, 10),
    default=2,
    show_default=True,
    metavar="N",
    help="Of a read after silence or damage; three more once the meter has answered.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def read(
    *,
    line: str,
    what: str,
    driver: str,
    address: int,
    password: str | None,
    level: int,
    since: datetime | None,
    until: datetime | None,
    clock_base: int,
    settings: tuple[str, ...],
    repeats: int,
    as_json: bool,
) -> None:
    """Read WHAT from the meter at LINE.

    LINE is tcp://host:port, serial:///dev/ttyUSB0?baud=9600, rfc2217://host:port or, for a gateway
    that calls this machine, listen://0.0.0.0:port/NAME. The profile is read from the oldest record
    on, or between --since and --until on the meter's face.
    """
    if what != "profile" and (since or until):
        raise click.UsageError("--since and --until are for the profile")
    if since and until and since >= until:
        raise click.UsageError("--since must come before --until")
    own = pairs(settings, "--setting")
    secret = _typed(password) if password == "-" else password  # noqa: S105 -- not a secret

    from hub.cli.reading import Wish
    from hub.plugins.api import Level
    from hub.plugins.manager import load_plugins

    spec = load_plugins().driver(driver)
    filled = _settings(spec, {"address": address, **own}, secret, level)
    wish = Wish(what=what, since=since, until=until, clock_base=clock_base)
    with _progress(since, until, shown=what == "profile" and sys.stderr.isatty()) as progress:
        answer = asyncio.run(
            _visit(
                line,
                spec=spec,
                settings=filled,
                level=Level.READ if level == 1 else Level.CONFIGURE,
                wish=wish,
                repeats=repeats,
                progress=progress,
            )
        )
    if as_json:
        say_json(answer)
    else:
        _say(what, answer)


def _typed(asked: str) -> str:
    del asked
    if sys.stdin.isatty():
        return str(click.prompt("Meter password", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\n")


def _settings(
    spec: "DriverSpec[Any]", values: Mapping[str, object], secret: str | None, level: int
) -> "PluginSettings":
    """Fill the driver's settings model; the password goes to the secret of its level.

    A driver's secrets stand in its model in the order of the levels.
    """
    from pydantic import ValidationError

    filled = dict(values)
    if secret is not None:
        secrets = [
            name
            for name, field in spec.settings.model_fields.items()
            if _is_secret(field.annotation)
        ]
        if not secrets:
            raise click.UsageError(f"The driver '{spec.id}' takes no password")
        filled[secrets[min(level, len(secrets)) - 1]] = secret
    try:
        model: type[PluginSettings] = spec.settings
        return model.model_validate(filled)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"]))
        named = f"'{name}'" if name else "these settings"  # a check of the whole model has no name
        said = first["msg"].removeprefix("Value error, ")
        known = ", ".join(spec.settings.model_fields)
        raise click.UsageError(
            f"The driver '{spec.id}' does not take {named}: {said}; it knows {known}"
        ) from error


def _is_secret(annotation: object) -> bool:
    from pydantic import SecretStr

    return annotation is SecretStr or any(_is_secret(each) for each in get_args(annotation))


async def _visit(
    text: str,
    *,
    spec: "DriverSpec[Any]",
    settings: "PluginSettings",
    level: "Level",
    wish: "Wish",
    repeats: int,
    progress: Callable[[datetime], None],
) -> Mapping[str, object]:
    from hub.cli.reading import visit
    from hub.wire.address import parse_line
    from hub.wire.line import Line
    from hub.wire.links import Links
    from hub.wire.runner import run

    address = parse_line(text)
    if address.kind == "listen":
        click.echo(f"Waiting for {address.name} to call {address.host}:{address.port} …", err=True)
    async with (
        Links(patience_s=WAIT_FOR_CALL_S) as links,
        Line(links.open, address, repeats=repeats) as line,
    ):
        seat = line.seat(
            spec.timing(address.baud),
            interleave=spec.interleave,
            is_mutating=spec.is_mutating,
            act=spec.act,
            key="meter",
        )
        with seat as exchange:
            talk = visit(spec.build(settings, {}), level, wish, progress)
            return await run(talk, exchange, deadline=LONGEST_VISIT_S, budget=1_000_000)


@contextmanager
def _progress(
    since: datetime | None, until: datetime | None, *, shown: bool
) -> Iterator[Callable[[datetime], None]]:
    """Show on stderr how far the profile has been read; nothing if not on a terminal."""
    if not shown:
        yield lambda _reached: None
        return
    began = since
    end = until or datetime.now().replace(microsecond=0)  # noqa: DTZ005 -- a guess, for the bar
    with click.progressbar(length=1000, label="profile", file=sys.stderr) as bar:

        def progress(reached: datetime) -> None:
            nonlocal began
            began = began or reached
            part = (reached - began) / (end - began) if end > began else 1.0
            bar.update(max(0, int(1000 * min(part, 1.0)) - bar.pos))

        yield progress
        bar.update(1000 - bar.pos)


def _say(what: str, answer: Mapping[str, Any]) -> None:
    if what in ("identity", "clock"):
        say_facts(answer)
    elif what == "registers":
        names: tuple[str, ...] = ("obis", "period", "value", "unit")
        say_table([name.upper() for name in names], _rows(answer["registers"], names))
    elif what == "snapshot":
        names = ("obis", "value", "unit")
        say_table([name.upper() for name in names], _rows(answer["values"], names))
    elif what == "journal":
        head = ("BEGAN", "ENDED", "BOOK", "WHAT")
        say_table(head, _rows(answer["events"], ("began", "ended", "book", "text")))
    else:
        _say_profile(answer)


def _rows(items: Sequence[Mapping[str, object]], names: tuple[str, ...]) -> list[Sequence[object]]:
    return [[item[name] for name in names] for item in items]


def _say_profile(answer: Mapping[str, Any]) -> None:
    click.echo(f"A count is {answer['milliwatt_hours_per_count']} mWh (mvarh).")
    rows = [
        (slot["start"], slot["minutes"], *slot["counts"].values(),
         " ".join([*(["summer"] if slot["summer"] else []), *slot["flags"]]))
        for slot in answer["slots"]
    ]  # fmt: skip
    say_table(("START", "MIN", "A+", "A-", "R+", "R-", "FLAGS"), rows)
    for gap in answer["gaps"]:
        click.echo(f"Nothing kept from {gap['from'] or 'the beginning'} to {plain(gap['to'])}.")
