"""``hub meter set``: change one meter, by the person at the terminal."""

import asyncio
import getpass
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli.kit import pairs, say_json
from hub.cli.meter_line import (
    LONGEST_VISIT_S,
    MOST_STEPS,
    filled_settings,
    meter_options,
    seated,
    typed,
)

if TYPE_CHECKING:
    from hub.cli.ordering import Order, Seen
    from hub.domain.consent import Consent
    from hub.plugins.api import DriverSpec, Outcome, PluginSettings

WHAT: Final = ("clock", "relay", "limits", "fix")
ON_OFF: Final = click.Choice(("on", "off"))
CONSENT_LASTS: Final = timedelta(minutes=5)
DONE: Final = {
    "confirmed": "Done, and read back from the meter.",
    "started": "The meter has taken it on and is not done yet; read it again later.",
    "refused": "The meter refused; nothing was changed.",
    "unknown": (
        "No answer came, and reading back does not show the change: it is not known whether it "
        "was done. It is not sent again; read the meter before anything else."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How to reach the meter, and how to ask before it is changed."""

    line: str
    spec: "DriverSpec[Any]"
    settings: "PluginSettings"
    repeats: int
    wire_log: Path | None
    asked: Callable[["Seen"], bool]  # whether the person at the terminal means it


@click.command("set")
@click.argument("line")
@click.argument("what", type=click.Choice(WHAT))
@meter_options
@click.option("--nudge", is_flag=True, help="clock: correct within the meter's daily allowance.")
@click.option("--set", "over", is_flag=True, help="clock: set over any distance.")
@click.option("--on/--off", "closed", default=None, help="relay: switch the load on or off.")
@click.option("--power", metavar="W", help="limits: the power limit.")
@click.option("--power-control", type=ON_OFF, help="limits: switch the load off above it.")
@click.option("--energy", multiple=True, metavar="TARIFF=WH", help="limits: an energy limit.")
@click.option("--energy-control", type=ON_OFF, help="limits: switch the load off above them.")
@click.option("--yes", is_flag=True, help="Don't ask before the meter is changed.")
@click.option("--reason", default="", metavar="TEXT", help="For the audit line.")
@click.option(
    "--wire-log",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every exchange, and who gave leave for what, to FILE.",
)
def change(
    *,
    line: str,
    what: str,
    driver: str,
    address: int,
    password: str | None,
    clock_base: int,
    settings: tuple[str, ...],
    repeats: int,
    yes: bool,
    reason: str,
    wire_log: Path | None,
    as_json: bool,
    **own: Any,
) -> int:
    """Change WHAT of the meter at LINE: its clock, the load's relay, its limits.

    The meter is looked at first, and you are asked. With 'clock' give --nudge or --set; what
    'fix' latches is read with 'hub meter read LINE fixed'. The password is that of the level that
    may do it. Nothing is ever sent twice. Exit code 1 if it was not done for certain.
    """
    from hub.cli.ordering import clock, fix, limits, relay
    from hub.plugins.api import Limits
    from hub.plugins.manager import load_plugins

    _only_for(what, own)
    order: Order
    match what:
        case "clock":
            if own["nudge"] == own["over"]:
                raise click.UsageError("Say --nudge to correct the clock, or --set to set it")
            order = clock(nudge=own["nudge"], base_minutes=clock_base)
        case "relay":
            if own["closed"] is None:
                raise click.UsageError("Say --on or --off")
            order = relay(closed=own["closed"])
        case "limits":
            wanted = _limits(own)
            if wanted == Limits():
                raise click.UsageError("Say which limit to set")
            order = limits(wanted)
        case _:
            order = fix()
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("There is nobody to ask here; say --yes to change the meter")
    secret = typed(password)
    spec = load_plugins().driver(driver)
    level = 2 if order.level.name == "CONFIGURE" else 1
    means = Means(
        line=line,
        spec=spec,
        settings=filled_settings(
            spec, {"address": address, **pairs(settings, "--setting")}, secret, level
        ),
        repeats=repeats,
        wire_log=wire_log,
        asked=(lambda _seen: True) if yes else (lambda seen: _ask(order, seen)),
    )
    answer = asyncio.run(_change(means, order, reason))
    if answer is None:
        click.echo("Nothing was sent.", err=True)
        return 1
    if as_json:
        say_json(answer)
    else:
        click.echo(answer["text"])
    return 0 if answer["outcome"] in {"confirmed", "started"} else 1


def _only_for(what: str, own: Mapping[str, Any]) -> None:
    """Refuse options of another WHAT."""
    mine = {
        "clock": {"nudge", "over"},
        "relay": {"closed"},
        "limits": {"power", "power_control", "energy", "energy_control"},
    }
    given = {name for name, value in own.items() if value not in (None, False, ())}
    given |= {"closed"} if own["closed"] is not None else set()
    for other, names in mine.items():
        if other != what and given & names:
            raise click.UsageError(f"That is for '{other}', not for '{what}'; see --help")


def _limits(own: Mapping[str, Any]) -> Any:
    from hub.plugins.api import Limits, Quantity

    def number(text: str, option: str) -> Decimal:
        try:
            return Decimal(text)
        except InvalidOperation as error:
            raise click.UsageError(f"'{option} {text}' is no number") from error

    energy: dict[int, Quantity] = {}
    for tariff, wh in pairs(own["energy"], "--energy").items():
        if not tariff.isdecimal():
            raise click.UsageError(f"'--energy {tariff}={wh}' has no tariff number")
        energy[int(tariff)] = Quantity(number(wh, "--energy"), "Wh")
    controls = {None: None, "on": True, "off": False}
    return Limits(
        power_limit=None
        if own["power"] is None
        else Quantity(number(own["power"], "--power"), "W"),
        power_control=controls[own["power_control"]],
        energy_limits=energy,
        energy_control=controls[own["energy_control"]],
    )


def _ask(order: "Order", seen: "Seen") -> bool:
    click.echo(f"{seen.words}\n{order.warning}", err=True)
    return click.confirm(f"{order.words}?", err=True)


async def _change(means: Means, order: "Order", reason: str) -> Mapping[str, str] | None:
    """Look, ask, change; None if the answer was no."""
    from hub.cli.ordering import carry_out, look
    from hub.domain.consent import Consent
    from hub.wire.capture import WireLog
    from hub.wire.runner import run

    log = WireLog(means.wire_log)
    async with seated(means.line, means.spec, repeats=means.repeats, log=log) as seat:

        def driver() -> Any:
            return means.spec.build(means.settings, {})

        bounds: Any = {"deadline": LONGEST_VISIT_S, "budget": MOST_STEPS}
        seen = await run(look(driver(), order), seat, **bounds)
        seat.release()
        if not await asyncio.to_thread(means.asked, seen):
            return None
        now = datetime.now(UTC)
        consent = Consent(
            act=order.act,
            target=seen.serial,
            actor=f"{getpass.getuser()} at the terminal",
            reason=reason or "not given",
            until=now + CONSENT_LASTS,
        )
        said = (
            f"leave given by {consent.actor}: {consent.act} at meter {consent.target}; "
            f"reason: {consent.reason}"
        )
        log.note(now, means.line, said)
        talk = carry_out(driver(), order, consent)
        try:
            outcome: Outcome = await run(talk, seat, consent=InPerson(consent), **bounds)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        name = outcome.name.lower()
        log.note(datetime.now(UTC), means.line, f"{consent.act} at meter {consent.target}: {name}")
    return {
        "meter": seen.serial,
        "act": order.act,
        "outcome": name,
        "text": DONE[name] + (order.when_refused if name == "refused" else ""),
    }


class InPerson:
    """The consent of the person at the terminal: for one act, once, and not for long."""

    def __init__(self, consent: "Consent") -> None:
        self._consent = consent
        self._spent = False

    @property
    def consent(self) -> "Consent":
        return self._consent

    async def spend(self) -> bool:
        """Return True once, before it has run out."""
        fresh = not self._spent and datetime.now(UTC) < self._consent.until
        self._spent = True
        return fresh
