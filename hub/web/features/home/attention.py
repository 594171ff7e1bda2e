"""What needs attention, on top of the main page: what it is, what it means, and one thing to do."""

from collections.abc import Iterator
from datetime import datetime

from hub.services.attention import Due
from hub.services.home import HomePage
from hub.services.points import PointCard
from hub.web.features.home.views import Asks, BalanceCard
from hub.web.kit.formats import day, duration, money, span
from hub.web.kit.i18n import gettext, ngettext
from hub.web.kit.point_head import local, state_of

MOST_SILENT = 2  # more are told together


def asks_of(found: HomePage, balance: BalanceCard | None, now: datetime) -> tuple[Asks, ...]:
    """Word all that needs a person: what ends first comes first."""
    due = [(card, found.due[card.id]) for card in found.points if card.id in found.due]
    return (
        *(_readings(card, each) for card, each in due if each.readings),
        *_debt(found, balance),
        *_silent(found, now),
        *(_verification(card, each) for card, each in due if each.verify_by),
    )


def _readings(card: PointCard, due: Due) -> Asks:
    first, last = due.readings or (due.today, due.today)
    left = (last - due.today).days + 1
    words = gettext("Taken on %(days)s.") % {"days": span(first, last, due.today)}
    days = ngettext("%(num)s day is left.", "%(num)s days are left.", left) % {"num": left}
    return Asks(
        "pencil",
        "warn",
        gettext("Send the readings: %(name)s") % {"name": card.name},
        f"{words} {days}",
        f"#meter-{card.id}",  # its row has the form
        gettext("Show the meter"),
    )


def _debt(found: HomePage, balance: BalanceCard | None) -> Iterator[Asks]:
    if balance is None or balance.kopecks <= 0:
        return
    told = found.contract.supplier
    if told.site:
        href, action = told.site, gettext("Open the supplier's site")
    elif told.phones:
        href, action = f"tel:{told.phones[0].replace(' ', '')}", gettext("Call the supplier")
    else:
        href = f"/contracts/{found.contract.id}/appeals/new"
        action = gettext("Write to the supplier")
    yield Asks(
        "file-text",
        "warn",
        gettext("To pay: %(sum)s") % {"sum": money(balance.kopecks)},
        gettext("As of %(day)s, as the supplier says.") % {"day": day(balance.as_of)},
        href,
        action,
    )


def _silent(found: HomePage, now: datetime) -> Iterator[Asks]:
    cards = [card for card in found.points if state_of(card, now) == "silent"]
    keeps = gettext("The meter itself goes on counting; its data will be read later.")
    if len(cards) > MOST_SILENT:
        words = ngettext("%(num)s meter is silent", "%(num)s meters are silent", len(cards))
        yield Asks(
            "unplug", "warn", words % {"num": len(cards)}, keeps,
            f"/contracts/{found.contract.id}/points?state=silent", gettext("Show them"),
        )  # fmt: skip
        return
    for card in cards:
        since = local(card.connection.silent_since, card.time_zone) or now
        told = gettext("Since %(day)s.") % {"day": day(since.date(), now.date())}
        if card.connection.seen_at is None:
            told = gettext("Not one answer since it was installed on %(day)s.") % {
                "day": day(since.date(), now.date())
            }
        lasts = {"name": card.name, "time": duration(now - since)}
        yield Asks(
            "unplug", "warn", gettext("%(name)s is silent for %(time)s") % lasts,
            f"{told} {keeps}" if card.connection.seen_at else told,
            f"/points/{card.id}/profile", gettext("What to do"),
        )  # fmt: skip


def _verification(card: PointCard, due: Due) -> Asks:
    by = due.verify_by or due.today
    facts = {"name": card.name, "day": day(by, due.today)}
    if by < due.today:
        title = gettext("Verification expired on %(day)s: %(name)s") % facts
        kind = "bad"
    else:
        title = gettext("Verification ends on %(day)s: %(name)s") % facts
        kind = "warn"
    return Asks(
        "triangle-alert", kind, title, gettext("After it consumption may be charged by norm."),
        f"/contracts/{card.contract_id}/appeals/new", gettext("Write to the supplier"),
    )  # fmt: skip
