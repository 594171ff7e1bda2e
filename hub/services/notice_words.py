"""How a notification is named, on pages and in messages, in the language that is spoken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from hub.domain.notices import Channel, Source
from hub.locale import N_, gettext
from hub.services.made_words import Worded, number, word_made
from hub.services.pieces import DEFAULT_ZONE
from hub.services.sentences import Terms
from hub.store import notify
from hub.store import told as kept
from hub.store.unit import Unit

FRESH = timedelta(days=3)  # what is older is shown on the portal, but not sent any more

SOURCES = {
    Source.SUPPLIER: N_("Supplier"),
    Source.APPEAL: N_("Supplier"),
    Source.READING: N_("Supplier"),
    Source.METER: N_("Meter"),
    Source.RULE: N_("My rules"),
}
# What became of an appeal, or of readings, as the title of its notification.
STEPS = {
    (Source.APPEAL, "answered"): N_("Answer to the appeal «%(subject)s»"),
    (Source.APPEAL, "closed"): N_("The appeal «%(subject)s» is closed"),
    (Source.APPEAL, "refused"): N_("The appeal «%(subject)s» was refused"),
    (Source.APPEAL, "in_work"): N_("The appeal «%(subject)s» is in work"),
    (Source.READING, "accepted"): N_("The readings are accepted: %(subject)s"),
    (Source.READING, "refused"): N_("The readings were not accepted: %(subject)s"),
}
DECIDED = frozenset({Source.APPEAL, Source.READING})
OTHER_STEP = N_("News of the appeal «%(subject)s»")


class Told(Protocol):
    """What a notification is worded from, whoever holds it."""

    @property
    def source(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def facts(self) -> Mapping[str, str]: ...


def words_of(told: Told, terms: Mapping[str, Terms] | None = None) -> Worded:
    """Word a notification: as its supplier did, by what was decided, or from its facts.

    Facts of readings are their values by zone.

    ``terms``: drivers' own words, by driver.
    """
    if told.facts and told.source not in DECIDED:
        return word_made(told.source, told.kind, told.title, told.facts, terms)
    title = told.title
    values = ", ".join(f"{zone} {number(value)}".strip() for zone, value in told.facts.items())
    if told.source in DECIDED:
        step = STEPS.get((Source(told.source), told.kind), OTHER_STEP)
        title = gettext(step) % {"subject": title}
    parts = (values, *map(str.strip, told.text.split("\n")))
    return Worded(title, tuple(filter(None, parts)))


def source_words(source: str) -> str:
    """Say where it comes from."""
    return gettext(SOURCES[Source(source)])


@dataclass(frozen=True, slots=True)
class Letter:
    """A notification as it is sent to somebody; ``contract`` is the name that they gave it."""

    source: str
    kind: str
    title: str
    text: str
    at: datetime
    from_at: datetime | None
    to_at: datetime | None
    contract: str
    time_zone: str
    facts: Mapping[str, str] = field(default_factory=dict)


def letter_of(unit: Unit, notice_id: int, channel: Channel, now: datetime) -> Letter | None:
    """Read what is to be sent; None if it is gone, too old, or its reader does not want it."""
    row = kept.notice_by_id(unit, notice_id)
    found = kept.with_supplier(unit, row.contract_id) if row else None
    if row is None or found is None or now - row.told_at > FRESH:
        return None
    if channel not in notify.channels_of(unit, found[0].user_id, Source(row.source)):
        return None
    return Letter(
        source=row.source,
        kind=row.kind,
        title=row.title,
        text=row.text,
        facts=row.facts,
        at=row.published_at,
        from_at=row.from_at,
        to_at=row.to_at,
        contract=found[0].name,
        time_zone=kept.zone_of_contract(unit, row.contract_id) or DEFAULT_ZONE,
    )
