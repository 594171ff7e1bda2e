"""How a notification is named, on pages and in messages, in the language that is spoken."""

from hub.domain.notices import Source
from hub.locale import N_, gettext

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


def title_of(source: str, kind: str, title: str) -> str:
    """Name a notification: by its own title, or what became of an appeal or of readings."""
    if source not in DECIDED:
        return title
    return gettext(STEPS.get((Source(source), kind), OTHER_STEP)) % {"subject": title}


def source_words(source: str) -> str:
    """Say where it comes from."""
    return gettext(SOURCES[Source(source)])
