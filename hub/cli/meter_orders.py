"""``hub meter order | orders | clocks | drift``: stored meters, changed by the collector."""

import getpass
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli.kit import face, pairs, say_json, say_table

if TYPE_CHECKING:
    from hub.domain.consent import Act
    from hub.services.clock_discipline import PolicyRow
    from hub.services.orders import Order
    from hub.store.unit import Store

WHAT: Final = ("clock", "relay", "limits", "fix")
ON_OFF: Final = click.Choice(("on", "off"))
SWITCHES: Final = {"on": True, "off": False}
LOOK_EVERY_S: Final = 0.5
METER: Final = click.argument("meter_id", type=click.IntRange(min=1), metavar="METER_ID")
AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="For programs.")
SAID: Final = {
    "waiting": "The order waits for the meter's next visit; 'hub meter orders' tells of it.",
    "sending": "The order is being carried out; 'hub meter orders' tells of it.",
    "confirmed": "Done, and read back from the meter.",
    "started": "The meter has taken it on and is not done yet; 'hub meter orders' tells of it.",
    "refused": "It was refused.",
    "unknown": (
        "No answer came: it is not known whether it was done. It is not sent again; "
        "look at the meter before anything else."
    ),
    "expired": "The meter was not reached in time; nothing was sent.",
    "withdrawn": "It was withdrawn; nothing was sent.",
}


@click.command()
@METER
@click.argument("what", type=click.Choice(WHAT))
@click.option("--on/--off", "closed", default=None, help="relay: switch the load on or off.")
@click.option("--power", metavar="W", help="limits: the power limit.")
@click.option("--power-control", type=ON_OFF, help="limits: switch the load off above it.")
@click.option("--energy", multiple=True, metavar="TARIFF=WH", help="limits: an energy limit.")
@click.option("--energy-control", type=ON_OFF, help="limits: switch the load off above them.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept with the order.")
@click.option(
    "--hours",
    type=click.FloatRange(0, 720, min_open=True),
    default=24,
    show_default=True,
    metavar="H",
    help="The order runs out if the meter is not reached within this time.",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, 86400),
    default=300,
    show_default=True,
    metavar="S",
    help="Stop waiting for the outcome after so many seconds; the order stays.",
)
@click.option("--yes", is_flag=True, help="Don't ask before the order is given.")
@AS_JSON
def order(
    *, meter_id: int, what: str, reason: str, hours: float, wait_s: float, yes: bool,
    as_json: bool, **own: Any,
) -> int:  # fmt: skip
    """Order WHAT of the stored meter METER_ID: set its clock, switch its relay, set its limits.

    The collector carries it out at a visit that is due at once: its consent is spent before the
    bytes leave, and nothing is ever sent twice. METER_ID is a number of the hub; 'hub doctor
    --lines' lists them. Exit code 1 if it was not done for certain.
    """
    from hub.cli.opening import open_store, read_settings
    from hub.services import orders

    act, parameters, warning = _wish(what, own)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("There is nobody to ask here; say --yes to give the order")
        click.echo(warning, err=True)
        click.confirm(f"Order '{what}' of meter {meter_id}?", abort=True, err=True)
    with open_store(read_settings(), need_keys=False) as store:
        order_id = orders.give(
            store, meter_id, act, parameters, actor=_actor(), reason=reason,
            until=store.now() + timedelta(hours=hours),
        )  # fmt: skip
        found = _wait(store, order_id, wait_s)
    if as_json:
        say_json(_told(found))
    else:
        click.echo(f"Order {found.id}: {SAID[found.state]} {found.note}".rstrip())
    waits = found.state == "waiting" and not wait_s
    return 0 if waits or found.state in {"confirmed", "started"} else 1


def _wish(what: str, own: Mapping[str, Any]) -> "tuple[Act, dict[str, Any], str]":
    """Say which act, with what, and what to know before; a UsageError for options of another."""
    from hub.cli import ordering
    from hub.domain.consent import Act

    mine = {"relay": {"closed"}, "limits": {"power", "power_control", "energy", "energy_control"}}
    given = {name for name, value in own.items() if value not in (None, ())}
    for other, names in mine.items():
        if other != what and given & names:
            raise click.UsageError(f"That is for '{other}', not for '{what}'")
    match what:
        case "clock":
            return Act.SET_CLOCK, {}, ordering.SET_WARNING
        case "fix":
            return Act.FIX, {}, "What was latched before is lost."
        case "relay":
            closed = own["closed"]
            if closed is None:
                raise click.UsageError("Say --on or --off")
            warning = ordering.ON_WARNING if closed else ordering.OFF_WARNING
            return Act.SWITCH_RELAY, {"closed": closed}, warning
    wanted = {
        "power_limit_w": own["power"],
        "power_control": SWITCHES.get(own["power_control"]),
        "energy_limits_wh": pairs(own["energy"], "--energy") or None,
        "energy_control": SWITCHES.get(own["energy_control"]),
    }
    limits = {name: value for name, value in wanted.items() if value is not None}
    if not limits:
        raise click.UsageError("Say which limit to set")
    return Act.SET_LIMITS, limits, ordering.LIMITS_WARNING


def _actor() -> str:
    return f"{getpass.getuser()} at the terminal"


def _wait(store: "Store", order_id: int, wait_s: float) -> "Order":
    """Look until the order has an outcome, or the time is over."""
    from hub.services import orders

    began = time.monotonic()
    shown = sys.stderr.isatty()
    while True:
        found = orders.one(store, order_id)
        waited = time.monotonic() - began
        if found.state not in {"waiting", "sending"} or waited >= wait_s:
            if shown:
                click.echo("\r\033[K", nl=False, err=True)
            return found
        if shown:
            click.echo(f"\r{found.state}, {waited:.0f} s \033[K", nl=False, err=True)
        time.sleep(LOOK_EVERY_S)


@click.command("orders")
@click.argument("meter_id", type=click.IntRange(min=1), required=False, metavar="[METER_ID]")
@click.option("--withdraw", type=click.IntRange(min=1), metavar="ORDER", help="Take one back.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@AS_JSON
def orders_(*, meter_id: int | None, withdraw: int | None, limit: int, as_json: bool) -> None:
    """List orders, newest first, and what became of them; or take one back that still waits."""
    from hub.cli.opening import open_store, read_settings
    from hub.services import orders

    with open_store(read_settings(), need_keys=False) as store:
        if withdraw is not None:
            orders.withdraw(store, withdraw, actor=_actor())
        found = orders.listed(store, meter_id, limit=limit)
    if as_json:
        say_json({"orders": [_told(one) for one in found]})
        return
    say_table(
        ("order", "meter", "act", "given", "by", "state", "note"),
        [
            (
                one.id, f"{one.meter_id} ({one.serial or 'not read yet'})", one.act,
                face(one.given_at), one.actor, one.state, one.note,
            )
            for one in found
        ],
    )  # fmt: skip


def _told(one: "Order") -> dict[str, Any]:
    return {
        "order": one.id, "meter": one.meter_id, "serial": one.serial, "act": one.act,
        "parameters": one.parameters, "actor": one.actor, "reason": one.reason,
        "given_at": one.given_at, "until": one.until, "spent_at": one.spent_at,
        "state": one.state, "settled_at": one.settled_at, "note": one.note,
    }  # fmt: skip


@click.command()
@click.argument("supplier_id", type=click.IntRange(min=1), required=False, metavar="[SUPPLIER_ID]")
@click.option("--on/--off", "enabled", default=None, help="Whether clocks are corrected at all.")
@click.option("--threshold", type=int, metavar="S", help="A clock that is off by less is well.")
@click.option("--farthest", type=int, metavar="S", help="One that is off by more is left alone.")
@click.option("--hours", metavar="FROM-TO", help="Of the point's day, as 1-5; 0-0 is at any hour.")
@AS_JSON
def clocks(
    *, supplier_id: int | None, enabled: bool | None, threshold: int | None,
    farthest: int | None, hours: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show, or change, how the clocks of a utility's meters are kept right.

    Without options all utilities are listed. With the policy on, a clock that is off by more than
    the threshold is corrected once a day by at most what its meter allows (four minutes).
    """
    from hub.cli.opening import open_store, read_settings
    from hub.services import clock_discipline

    changes: dict[str, int] = {
        name: value
        for name, value in (
            ("enabled", enabled),
            ("threshold_s", threshold),
            ("farthest_s", farthest),
            *_hours(hours),
        )
        if value is not None
    }
    if changes and supplier_id is None:
        raise click.UsageError("Say whose policy to change: SUPPLIER_ID")
    with open_store(read_settings(), need_keys=False) as store:
        if changes and supplier_id is not None:
            clock_discipline.set_policy(store, supplier_id, actor=_actor(), **changes)
        found = [
            one
            for one in clock_discipline.policies(store)
            if supplier_id in {None, one.supplier_id}
        ]
    if as_json:
        say_json({"policies": [_policy(one) for one in found]})
        return
    say_table(
        ("supplier", "title", "policy", "threshold, s", "farthest, s", "hours"),
        [
            (
                one.supplier_id, one.title, "on" if one.enabled else "off", one.threshold_s,
                one.farthest_s, _span(one),
            )
            for one in found
        ],
    )  # fmt: skip


def _hours(text: str | None) -> tuple[tuple[str, int | None], ...]:
    if text is None:
        return ()
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal()):
        raise click.UsageError(f"'--hours {text}' is not FROM-TO, as 1-5")
    return (("from_hour", int(first)), ("to_hour", int(last)))


def _span(one: "PolicyRow") -> str:
    return "any" if one.from_hour == one.to_hour else f"{one.from_hour}-{one.to_hour}"


def _policy(one: "PolicyRow") -> dict[str, Any]:
    return {
        "supplier": one.supplier_id, "title": one.title, "enabled": one.enabled,
        "threshold_s": one.threshold_s, "farthest_s": one.farthest_s,
        "from_hour": one.from_hour, "to_hour": one.to_hour,
    }  # fmt: skip


@click.command()
@METER
@click.option("--days", type=click.IntRange(1, 10_000), default=30, show_default=True)
@AS_JSON
def drift(*, meter_id: int, days: int, as_json: bool) -> None:
    """Show how far the clock of meter METER_ID was off: at least daily, and where it changed."""
    from hub.cli.opening import open_store, read_settings
    from hub.services import clock_discipline

    with open_store(read_settings(), need_keys=False) as store:
        found = clock_discipline.series(store, meter_id, store.now() - timedelta(days=days))
    if as_json:
        rows = [
            {"at": one.at, "drift_s": one.drift_s, "round_trip_s": one.round_trip_s}
            for one in found
        ]
        say_json({"meter": meter_id, "drift": rows})
        return
    say_table(
        ("at", "drift, s", "round trip, s"),
        [(face(one.at), one.drift_s, one.round_trip_s) for one in found],
    )
