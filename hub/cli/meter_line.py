"""What the commands that talk to one meter share: their options, settings, and the line."""

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

import click

if TYPE_CHECKING:
    from hub.plugins.api import DriverSpec, PluginSettings
    from hub.wire.capture import WireLog
    from hub.wire.line import Seat

F = TypeVar("F", bound=Callable[..., Any])

# Each ask has its own short time; this bounds a visit whose meter answers but never ends.
LONGEST_VISIT_S: Final = 12 * 3600.0
MOST_STEPS: Final = 1_000_000
WAIT_FOR_CALL_S: Final = 180.0  # modems that lost their connection call again within minutes


def meter_options(command: F) -> F:
    """Add the options that say which meter, and how to talk to it."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="For programs."),
        click.option(
            "--repeats",
            type=click.IntRange(0, 10),
            default=2,
            show_default=True,
            metavar="N",
            help="Of a read after silence or damage; three more once the meter has answered.",
        ),
        click.option(
            "--setting", "settings", multiple=True, metavar="KEY=VALUE", help="The driver's own."
        ),
        click.option(
            "--clock-base",
            type=click.IntRange(-720, 840),
            default=180,
            show_default=True,
            metavar="MIN",
            help="Minutes from UTC to the meter's winter time.",
        ),
        click.option(
            "--password",
            envvar="HUB_METER_PASSWORD",
            metavar="111111|-",
            help="'-' asks for it, or reads it from stdin; HUB_METER_PASSWORD does as well.",
        ),
        click.option(
            "--address", required=True, type=int, metavar="A", help="Of the meter on its line."
        ),
        click.option("--driver", required=True, metavar="NAME", help="See 'hub plugin list'."),
    ):
        command = option(command)
    return command


def typed(password: str | None) -> str | None:
    """Return the password; '-' is asked for on a terminal, or read from stdin."""
    if password != "-":  # noqa: S105 -- not a secret
        return password
    if sys.stdin.isatty():
        return str(click.prompt("Meter password", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\n")


def filled_settings(
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


@asynccontextmanager
async def seated(
    text: str, spec: "DriverSpec[Any]", *, repeats: int, log: "WireLog | None" = None
) -> "AsyncIterator[Seat]":
    """Open the line for one meter of this driver."""
    from hub.wire.address import parse_line
    from hub.wire.line import Line
    from hub.wire.links import Links

    address = parse_line(text)
    if address.kind == "listen":
        click.echo(f"Waiting for {address.name} to call {address.host}:{address.port} …", err=True)
    async with (
        Links(patience_s=WAIT_FOR_CALL_S) as links,
        Line(links.open, address, repeats=repeats, log=log) as line,
    ):
        seat = line.seat(
            spec.timing(address.baud),
            interleave=spec.interleave,
            is_mutating=spec.is_mutating,
            act=spec.act,
            key="meter",
        )
        with seat:
            yield seat
