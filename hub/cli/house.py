"""``hub house``: a utility's own books, until a console can do it."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hub.cli.opening import open_store, read_settings

if TYPE_CHECKING:
    from hub.plugins.api import Bill
    from hub.services.bookkeeping import Access, Account, Asked, Bookkeeping, Charged, Sent

F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E", bound=StrEnum)

RESOURCES = ("electricity", "water", "gas", "heat", "other")
UNITS = {"electricity": "kWh", "water": "m3", "gas": "m3", "heat": "Gcal", "other": ""}
KINDS = ("debt", "planned_work", "outage", "other")
TRANSFORMERS = ("current", "voltage")
STATES = ("in_work", "answered", "closed", "refused")
WRONG = {
    "house.price_wrong": "A price has to be 0 or more, and no finer than a millionth of a rouble.",
    "house.values_wrong": (
        "Readings are wanted of every zone of the point, with no more digits than its meter has."
    ),
    "house.amount_wrong": "A payment has to be more than nothing.",
    "house.period_wrong": "The end has to come after the beginning.",
    "house.window_wrong": "A window is two days of the month, like 15-25.",
    "house.title_empty": "The title is empty.",
    "house.text_empty": "There is nothing to say: write a text, or give another state.",
    "house.file_large": "A file may have 10 MB.",
    "house.reason_empty": "The reason is empty; the consumer reads it.",
    "house.event_unknown": "There is no such kind of event; 'hub house events list' lists them.",
    "house.line_empty": "A line of a bill needs words.",
}


@click.group()
def house() -> None:
    """Keep a utility's own books: contracts, access, bills, notices, appeals, readings."""


def of_supplier(command: F) -> F:
    """Add the option that names the utility where there are several."""
    named = click.option(
        "--supplier", default="", help="The utility's title, if there are several."
    )
    return named(command)


def as_json(command: F) -> F:
    return click.option("--json", "to_json", is_flag=True, help="For a program to read.")(command)


@contextmanager
def _books(supplier: str) -> Iterator["Bookkeeping"]:
    """Open the books of the utility that is meant; what was refused becomes a sentence."""
    from hub.errors import InputRefused
    from hub.services.bookkeeping import Bookkeeping, houses
    from hub.services.passwords import Passwords

    with open_store(read_settings()) as store:
        known = houses(store)
        found = [row for row in known if not supplier or row[1] == supplier]
        if not known:
            raise click.UsageError("There are no books yet; begin with 'hub house open TITLE'")
        if len(found) != 1:
            titles = ", ".join(f"'{row[1]}'" for row in known)
            raise click.UsageError(f"Say with --supplier whose books: {titles}")
        try:
            yield Bookkeeping(store, found[0][0], Passwords())
        except InputRefused as refused:
            keys = refused.fields.values()
            raise click.UsageError(
                " ".join(WRONG.get(key, f"{key} is wrong.") for key in keys)
            ) from refused


# -- setting up --------------------------------------------------------------------------------


@house.command("open")
@click.argument("title")
@click.option(
    "--phone", "phones", multiple=True, help="For consumers; may be given more than once."
)
@click.option("--email", default="", help="For consumers.")
@click.option("--site", default="", help="An https address.")
@click.option("--address", default="", help="Where the office is.")
@click.option("--hours", default="", help="When the office is open.")
@click.option("--by-code", is_flag=True, help="Contracts are linked by one-time codes.")
def open_books(title: str, phones: Sequence[str], *, by_code: bool, **card: str) -> None:
    """Open the books of a utility; it appears in «Поставщик» under its title.

    Contracts are linked by a login and a password that stay, or with --by-code by the contract's
    number and a code that works once.
    """
    from hub.plugins.api import SupplierCard
    from hub.services.bookkeeping import HOUSE, HOUSE_CODE, houses, open_supplier

    with open_store(read_settings()) as store:
        if any(row[1] == title for row in houses(store)):
            raise click.UsageError(f"There are books of '{title}' already")
        told = SupplierCard(name=title, phones=tuple(phones), **card)
        connector = HOUSE_CODE if by_code else HOUSE
        open_supplier(store, title=title, card=told, now=datetime.now(UTC), connector=connector)
    click.echo(f"Opened the books of {title}.")


@house.command()
@click.argument("number")
@click.option("--holder", required=True, help="Whose contract it is.")
@click.option("--address", required=True, help="What place it is for.")
@click.option("--since", default="", metavar="DAY", help="When it was made, like 2026-11-01.")
@click.option("--balance", default="", metavar="ROUBLES", help="Brought in; negative is a debt.")
@click.option("--as-of", default="", metavar="DAY", help="Of the balance; else now.")
@of_supplier
def contract(
    number: str, *, holder: str, address: str, since: str, balance: str, as_of: str, supplier: str
) -> None:
    """Enter a contract."""
    from hub.services.bookkeeping import BookedContract

    entered = BookedContract(
        number=number,
        holder=holder,
        address=address,
        since=_day(since) if since else None,
        balance_kopecks=_kopecks(balance) if balance else 0,
        balance_at=(_instant(as_of) if as_of else datetime.now(UTC)) if balance else None,
    )
    with _books(supplier) as books:
        books.enter(entered)
    click.echo(f"Entered the contract {number}; 'hub house access {number}' lets its holder in.")


@house.command()
@click.argument("number")
@click.option("--name", required=True, help="What consumers read.")
@click.option("--number", "point", default="", help="The point's number at the utility.")
@click.option("--serial", default="", help="Of the meter, as on its face.")
@click.option("--resource", default="electricity", show_default=True, type=click.Choice(RESOURCES))
@click.option("--unit", default="", help="Of the readings; else as usual for the resource.")
@click.option("--smart", is_flag=True, help="The meter reports by itself.")
@click.option("--place", default="", help="Where the meter is.")
@click.option("--zones", default="", metavar="T1,T2", help="Tariff zones; none: one register.")
@click.option("--digits", default="", metavar="5.2", help="Of the meter's face, before and after.")
@click.option("--window", default="", metavar="15-25", help="Days on which readings are taken.")
@click.option("--tariff", default="", help="By which prices it is charged; see 'hub house price'.")
@click.option("--fact", "facts", multiple=True, metavar="NAME=TEXT", help="E.g. norm_month=6.")
@of_supplier
def point(number: str, *, supplier: str, tariff: str, **typed: Any) -> None:
    """Add a metering point to the contract NUMBER."""
    from hub.plugins.api import Point, PointFact, Resource

    first, last = _window(typed["window"])
    whole, decimal = _digits(typed["digits"])
    added = Point(
        id="",
        name=typed["name"],
        number=typed["point"],
        meter_serial=typed["serial"],
        resource=Resource(typed["resource"]),
        unit=typed["unit"] or UNITS[typed["resource"]],
        smart=typed["smart"],
        place=typed["place"],
        tariff_zones=tuple(zone.strip() for zone in typed["zones"].split(",") if zone.strip()),
        whole_digits=whole,
        decimal_digits=decimal,
        submit_from_day=first,
        submit_to_day=last,
        facts=_facts(typed["facts"], PointFact),
    )
    with _books(supplier) as books:
        books.add_point(number, added, tariff)
    click.echo(f"Added {typed['name']} to the contract {number}.")


@house.command()
@click.argument("number")
@click.argument("point")
@click.option("--kind", default="current", show_default=True, type=click.Choice(TRANSFORMERS))
@click.option("--phase", required=True, type=click.IntRange(1, 3))
@click.option("--from", "since", default="", metavar="DAY", help="The first day it hangs there.")
@click.option("--to", "until", default="", metavar="DAY", help="The last one.")
@click.option("--fact", "facts", multiple=True, metavar="NAME=TEXT", help="E.g. serial=5512041.")
@click.option("--strike", is_flag=True, help="It was entered by mistake.")
@of_supplier
def transformer(
    number: str, point: str, *, kind: str, phase: int, since: str, until: str,
    facts: Sequence[str], strike: bool, supplier: str,
) -> None:  # fmt: skip
    """Enter a transformer of a POINT, by its number or name, of the contract NUMBER.

    One of the same kind, phase and first day is replaced.
    """
    from hub.plugins.api import TransformerCard, TransformerFact

    card = TransformerCard(
        kind=kind, phase=phase, facts=_facts(facts, TransformerFact),
        from_on=_day(since) if since else None, to_on=_day(until) if until else None,
    )  # fmt: skip
    with _books(supplier) as books:
        (books.take_transformer if strike else books.put_transformer)(number, point, card)
    what = f"the {kind} transformer of phase {phase} of {point}"
    click.echo(f"{'Struck' if strike else 'Entered'} {what}.")


@house.command()
@of_supplier
def pause(supplier: str) -> None:
    """Answer no consumer for a while, as a supplier whose system is down.

    The portal shows what it knows, says of when that is, and keeps what is sent until 'resume'.
    """
    with _books(supplier) as books:
        books.pause()
    click.echo("The books are paused; 'hub house resume' opens them again.")


@house.command()
@of_supplier
def resume(supplier: str) -> None:
    """Answer again; what was sent meanwhile comes in within seconds."""
    with _books(supplier) as books:
        books.pause(paused=False)
    click.echo("The books answer again.")


@house.command()
@click.argument("tariff")
@click.argument("zone")
@click.argument("roubles")
@click.option("--from", "since", required=True, metavar="DAY", help="The first day it holds.")
@of_supplier
def price(tariff: str, zone: str, roubles: str, *, since: str, supplier: str) -> None:
    """Set what a unit costs in a zone from a day on; ZONE 'fixed' is the part a month.

    A meter without zones is charged by T1. The price before ends on the day before.
    """
    with _books(supplier) as books:
        books.set_price(tariff, "" if zone == "fixed" else zone, _decimal(roubles), _day(since))
    click.echo(f"{tariff}, {zone}: {roubles} ₽ from {since} on.")


@house.command()
@click.argument("number")
@click.option("--login", default="", help="Else the one it has, else the contract's number.")
@click.option("--another", is_flag=True, help="One more holder of a contract that is linked.")
@click.option("--revoke", is_flag=True, help="Take it back and give none.")
@as_json
@of_supplier
def access(
    number: str, *, login: str, another: bool, revoke: bool, to_json: bool, supplier: str
) -> None:
    """Give a new password or code for the contract NUMBER; it is printed this once.

    What was given before ends. Print it as a letter: who has it sees the contract.
    """
    with _books(supplier) as books:
        if revoke:
            books.end_access(number)
            click.echo(f"Nobody can link the contract {number} any more.")
            return
        given = books.give_access(number, login, another=another)
    if to_json:
        _print(
            {
                "login": given.login,
                "password": given.password,
                "until": given.until.isoformat() if given.until else None,
            }
        )
        return
    click.echo(_letter(given))


def _letter(given: "Access") -> str:
    if given.until is None:
        return f"Login     {given.login}\nPassword  {given.password}"
    return (
        f"Contract  {given.login}\nCode      {given.password}\n"
        f"It works once, until {given.until:%Y-%m-%d}."
    )


# -- looking -----------------------------------------------------------------------------------


@house.command("list")
@as_json
@of_supplier
def list_contracts(*, to_json: bool, supplier: str) -> None:
    """List the contracts with their balances."""
    with _books(supplier) as books:
        found = books.contracts()
    if to_json:
        _print([_account(each) for each in found])
        return
    for each in found:
        click.echo(f"{each.number:<20} {_balance(each):>16}  {each.holder}, {each.address}")


@house.command()
@click.argument("number")
@as_json
@of_supplier
def show(number: str, *, to_json: bool, supplier: str) -> None:
    """Show a contract: balance, points, bills."""
    with _books(supplier) as books:
        found = books.contract(number)
    if to_json:
        _print(_account(found))
        return
    click.echo(f"{found.number}  {found.holder}, {found.address}\nBalance   {_balance(found)}")
    for each in found.points:
        about = ", ".join(part for part in (each.number, each.meter_serial, each.resource) if part)
        click.echo(f"Point     {each.name} ({about})")
    for bill in found.bills:
        click.echo(_bill_text(bill))


# -- readings ----------------------------------------------------------------------------------


@house.command()
@click.option("--all", "everything", is_flag=True, help="Those decided on too.")
@as_json
@of_supplier
def readings(*, everything: bool, to_json: bool, supplier: str) -> None:
    """List readings that consumers sent and that wait for a decision."""
    with _books(supplier) as books:
        found = books.submissions(waiting=not everything)
    if to_json:
        _print([_sent(each) for each in found])
        return
    if not found:
        click.echo("No readings wait.")
    for each in found:
        values = ", ".join(
            f"{zone} {value}".strip()
            + (f" (was {each.before[zone]})" if zone in each.before else "")
            for zone, value in each.values.items()
        )
        about = f"{each.contract}, {each.point}, {each.taken_on}: {values}"
        click.echo(f"{each.id:>5}  {each.state:<9} {about} {each.reason}".rstrip())


@house.command()
@click.argument("submission", type=int)
@of_supplier
def accept(submission: int, *, supplier: str) -> None:
    """Accept the readings of a SUBMISSION: they are billed by from now on."""
    with _books(supplier) as books:
        books.accept(submission)
    click.echo(f"Accepted the readings {submission}.")


@house.command()
@click.argument("submission", type=int)
@click.argument("reason")
@of_supplier
def refuse(submission: int, reason: str, *, supplier: str) -> None:
    """Refuse the readings of a SUBMISSION; the consumer reads the REASON."""
    with _books(supplier) as books:
        books.refuse(submission, reason)
    click.echo(f"Refused the readings {submission}.")


@house.command()
@click.argument("number")
@click.argument("point")
@click.argument("values", nargs=-1, required=True)
@click.option("--on", "day", required=True, metavar="DAY", help="When the meter showed it.")
@of_supplier
def reading(number: str, point: str, values: Sequence[str], *, day: str, supplier: str) -> None:
    """Enter readings that the utility took itself: 4821.5, or T1=4821.5 T2=1210."""
    from hub.services.bookkeeping import Taken

    read = {}
    for each in values:
        zone, _, value = each.rpartition("=")
        read[zone] = _decimal(value)
    with _books(supplier) as books:
        books.record(number, point, Taken(read, _day(day)))
    click.echo(f"Entered readings of {point} for {day}.")


# -- money -------------------------------------------------------------------------------------


@house.command()
@click.argument("number")
@click.argument("month")
@click.option(
    "--line", "lines", multiple=True, nargs=2, metavar="WORDS ROUBLES", help="One more charge."
)
@as_json
@of_supplier
def charge(
    number: str, month: str, *, lines: Sequence[tuple[str, str]], to_json: bool, supplier: str
) -> None:
    """Make the bill of a MONTH (like 2026-10) of a contract, and say what could not be charged.

    A month that has its bill gets another only with --line: a fine, or a correction (negative).
    """
    from hub.services.bookkeeping import Charge

    more = [Charge(words, _kopecks(roubles)) for words, roubles in lines]
    with _books(supplier) as books:
        charged = books.charge(number, _day(f"{month}-01"), more)
    if to_json:
        _print(_charged(charged))
        return
    if charged.bill is None:
        click.echo(f"Nothing of {month} could be charged.")
    else:
        click.echo(_bill_text(charged.bill))
    for each in charged.left_out:
        click.echo(f"  left out: {each}")


@house.command()
@click.argument("number")
@click.argument("roubles")
@click.option("--on", "day", default="", metavar="DAY", help="When it was paid; else now.")
@click.option("--reference", default="", help="Of the bank: the same is booked once.")
@of_supplier
def pay(number: str, roubles: str, *, day: str, reference: str, supplier: str) -> None:
    """Book a payment of a contract."""
    with _books(supplier) as books:
        booked = books.pay(
            number, _kopecks(roubles), _instant(day) if day else None, reference=reference
        )
    if booked:
        click.echo(f"Booked {roubles} ₽ for the contract {number}.")
    else:
        click.echo(f"The payment {reference} was booked before; nothing changed.")


# -- words -------------------------------------------------------------------------------------


@house.command()
@click.argument("number", required=False, default="")
@click.option("--all", "everybody", is_flag=True, help="For every contract of the utility.")
@click.option("--kind", required=True, type=click.Choice(KINDS), help="Consumers filter by it.")
@click.option("--title", required=True, help="One line.")
@click.option("--text", required=True, help="The whole of it.")
@click.option("--from", "begin", default="", metavar="TIME", help="2026-12-03T10:00+04:00.")
@click.option("--to", "end", default="", metavar="TIME", help="Of planned works, an outage.")
@of_supplier
def notice(number: str, *, everybody: bool, supplier: str, **typed: str) -> None:
    """Publish a notification for the contract NUMBER, or with --all for everybody."""
    from hub.plugins.api import NoticeKind
    from hub.services.bookkeeping import NewNotice

    if bool(number) == everybody:
        raise click.UsageError("Give a contract's number, or --all")
    published = NewNotice(
        kind=NoticeKind(typed["kind"]),
        title=typed["title"],
        text=typed["text"],
        number=number,
        from_at=_instant(typed["begin"]) if typed["begin"] else None,
        to_at=_instant(typed["end"]) if typed["end"] else None,
    )
    with _books(supplier) as books:
        books.publish(published)
    click.echo(f"Published for {number or 'everybody'}.")


@house.command()
@click.option("--all", "everything", is_flag=True, help="Those answered and closed too.")
@as_json
@of_supplier
def appeals(*, everything: bool, to_json: bool, supplier: str) -> None:
    """List appeals to answer, with what was said."""
    with _books(supplier) as books:
        found = books.appeals(only_open=not everything)
    if to_json:
        _print([_asked(each) for each in found])
        return
    if not found:
        click.echo("No appeals wait.")
    for each in found:
        click.echo(f"№{each.number}  {each.state}  {each.contract}  {each.subject}")
        for place, (at, who, words) in enumerate(each.thread):
            click.echo(f"    {at:%Y-%m-%d %H:%M} {who or each.email}: {words}")
            for of, _, name, size in each.files:
                if of == place:
                    click.echo(f"        {name}, {size:,} bytes")


@house.command()
@click.argument("appeal", type=int)
@click.option(
    "--to", default=".", type=click.Path(file_okay=False, path_type=Path),
    help="The folder to save in; it is made if it is not there.",
)  # fmt: skip
@of_supplier
def files(appeal: int, *, to: Path, supplier: str) -> None:
    """Save the files of an APPEAL, each under its number and name; none is written over."""
    with _books(supplier) as books:
        found = books.files(appeal)
    if not found:
        click.echo(f"The appeal №{appeal} has no files.")
    try:
        to.mkdir(parents=True, exist_ok=True)
        for number, each in enumerate(found, 1):
            path = to / f"{appeal}-{number}-{each.name}"
            with path.open("xb") as file:
                file.write(each.content)
            click.echo(str(path))
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from error


@house.command()
@click.argument("appeal", type=int)
@click.argument("text", default="")
@click.option(
    "--state", default="answered", show_default=True, type=click.Choice(STATES),
    help="What becomes of the appeal.",
)  # fmt: skip
@click.option("--who", default="", help="Who answers; else the utility's title.")
@click.option("--due", default="", metavar="DAY", help="When it will be done.")
@click.option(
    "--file", "paths", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file to send along; may be given again.",
)  # fmt: skip
@of_supplier
def answer(
    appeal: int, text: str, *, state: str, who: str, due: str, paths: tuple[Path, ...],
    supplier: str,
) -> None:  # fmt: skip
    """Answer an APPEAL by its number, or with --state alone move it on."""
    from hub.domain.files import kind_of
    from hub.plugins.api import AppealState, Attachment

    sent = []
    for path in paths:
        content = path.read_bytes()
        sent.append(Attachment(name=path.name, media_type=kind_of(content), content=content))
    with _books(supplier) as books:
        books.answer(
            appeal, text, state=AppealState(state), who=who, due=_day(due) if due else None,
            files=sent,
        )  # fmt: skip
    click.echo(f"The appeal №{appeal} is {state.replace('_', ' ')}.")


# -- events of meters --------------------------------------------------------------------------


@house.group("events")
def events_() -> None:
    """Choose of which events of their meters consumers get a notification.

    One for each kind, point and hour, however often it happened in it. What ended more than two
    days before it was read is history and makes none.
    """


@events_.command("list")
@as_json
@of_supplier
def list_events(*, to_json: bool, supplier: str) -> None:
    """List the kinds of events: on or off, and what nobody has chosen yet."""
    with _books(supplier) as books:
        found = books.events()
    if to_json:
        _print([{"kind": each.kind, "on": each.enabled, "usual": each.usual} for each in found])
        return
    for each in found:
        state = "on" if each.enabled else "off"
        click.echo(f"{state:<4} {each.kind}{'' if each.usual else '  (chosen)'}")


@events_.command("on")
@click.argument("kinds", nargs=-1, required=True, metavar="KIND…")
@of_supplier
def turn_events_on(kinds: Sequence[str], *, supplier: str) -> None:
    """Tell consumers of events of these kinds from now on."""
    _choose_events(kinds, enabled=True, supplier=supplier)


@events_.command("off")
@click.argument("kinds", nargs=-1, required=True, metavar="KIND…")
@of_supplier
def turn_events_off(kinds: Sequence[str], *, supplier: str) -> None:
    """Tell nobody of events of these kinds; they stay in the journals."""
    _choose_events(kinds, enabled=False, supplier=supplier)


def _choose_events(kinds: Sequence[str], *, enabled: bool, supplier: str) -> None:
    with _books(supplier) as books:
        books.choose_events(kinds, enabled=enabled)
    click.echo(f"{', '.join(kinds)}: {'on' if enabled else 'off'}.")


# -- reading what was typed --------------------------------------------------------------------


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"'{text}' is no day; write it like 2026-11-01") from None


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            f"'{text}' is no time; write it like 2026-12-03T10:00+04:00"
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text.replace(",", ".").replace(" ", ""))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise click.UsageError(f"'{text}' is no number; write it like 128.50")
    return value


def _kopecks(text: str) -> int:
    kopecks = _decimal(text) * 100
    if kopecks != kopecks.to_integral_value():
        raise click.UsageError(f"'{text}' is finer than a kopeck")
    return int(kopecks)


def _window(text: str) -> tuple[int | None, int | None]:
    from hub.errors import InputRefused
    from hub.services.bookkeeping import window_of

    if not text:
        return None, None
    try:
        window = window_of(text)
    except InputRefused as refused:
        raise click.UsageError(WRONG["house.window_wrong"]) from refused
    return window.from_day, window.to_day


def _digits(text: str) -> tuple[int | None, int | None]:
    whole, _, decimal = text.partition(".")
    if not text:
        return None, None
    if not (whole.isdecimal() and (decimal or "0").isdecimal()):
        raise click.UsageError("Digits are written like 5.2: before the point, and after it")
    return int(whole), int(decimal or 0)


def _facts(typed: Sequence[str], known: type[E]) -> dict[E, str]:
    facts = {}
    for each in typed:
        name, _, value = each.partition("=")
        if name not in set(known):
            raise click.UsageError(f"'{name}' is no fact; there are {', '.join(known)}")
        facts[known(name)] = value
    return facts


# -- telling -----------------------------------------------------------------------------------


def _print(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _balance(account: "Account") -> str:
    if account.balance_kopecks is None:
        return "-"
    return f"{Decimal(account.balance_kopecks) / 100:.2f} ₽"


def _bill_text(bill: "Bill") -> str:
    rows = [f"Bill      {bill.month:%Y-%m}  {bill.amount.amount} ₽"]
    for line in bill.lines:
        name = line.text
        if line.quantity is not None and line.price is not None:
            name = f"{name}: {line.quantity.normalize():f} {line.unit} x {line.price.amount:f} ₽"
        basis = f" ({line.basis.value})" if line.basis else ""
        rows.append(f"          {name} = {line.amount.amount} ₽{basis}")
    return "\n".join(rows)


def _account(account: "Account") -> dict[str, Any]:
    return {
        "number": account.number,
        "holder": account.holder,
        "address": account.address,
        "login": account.login,
        "balance_kopecks": account.balance_kopecks,
        "balance_at": account.balance_at.isoformat() if account.balance_at else None,
        "points": [
            {
                "name": each.name,
                "number": each.number,
                "serial": each.meter_serial,
                "resource": each.resource,
                "unit": each.unit,
                "smart": each.smart,
                "zones": each.tariff_zones,
            }
            for each in account.points
        ],
        "bills": [_bill(each) for each in account.bills],
    }


def _bill(bill: "Bill") -> dict[str, Any]:
    return {
        "month": f"{bill.month:%Y-%m}",
        "roubles": str(bill.amount.amount),
        "lines": [
            {
                "text": line.text,
                "zone": line.zone,
                "quantity": _plain(line.quantity),
                "unit": line.unit,
                "price": _plain(line.price.amount if line.price else None),
                "before": _plain(line.before),
                "after": _plain(line.after),
                "ratio": line.ratio,
                "basis": line.basis.value if line.basis else None,
                "roubles": str(line.amount.amount),
            }
            for line in bill.lines
        ],
    }


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _charged(charged: "Charged") -> dict[str, Any]:
    return {
        "bill": None if charged.bill is None else _bill(charged.bill),
        "left_out": list(charged.left_out),
    }


def _sent(sent: "Sent") -> dict[str, Any]:
    return {
        "id": sent.id,
        "contract": sent.contract,
        "point": sent.point,
        "serial": sent.serial,
        "taken_on": sent.taken_on.isoformat(),
        "values": dict(sent.values),
        "before": dict(sent.before),
        "state": sent.state,
        "reason": sent.reason,
        "sent_at": sent.sent_at.isoformat(),
    }


def _asked(asked: "Asked") -> dict[str, Any]:
    return {
        "number": asked.number,
        "contract": asked.contract,
        "subject": asked.subject,
        "email": asked.email,
        "phone": asked.phone,
        "state": asked.state,
        "created_at": asked.created_at.isoformat(),
        "changed_at": asked.changed_at.isoformat(),
        "due_on": asked.due_on.isoformat() if asked.due_on else None,
        "thread": [
            {
                "at": at.isoformat(),
                "who": who,
                "text": words,
                "files": [name for of, _, name, _ in asked.files if of == place],
            }
            for place, (at, who, words) in enumerate(asked.thread)
        ],
    }
