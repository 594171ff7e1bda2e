"""Words in somebody's language, through a context variable that whoever serves them sets once.

Source strings are English message ids. The ``.po`` files travel in the wheel and are compiled
in memory at the first use, so there is no build step to forget. Any layer may use this.
"""

import gettext as std
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

LANGUAGES = ("ru", "en")
DEFAULT_LANGUAGE = "ru"

language: ContextVar[str] = ContextVar("language", default=DEFAULT_LANGUAGE)


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Say everything inside in one language."""
    token = language.set(name)
    try:
        yield
    finally:
        language.reset(token)


NBSP = "\N{NO-BREAK SPACE}"
_SHORT_WORDS = re.compile(
    r"(?<![\w-])(в|во|к|ко|с|со|о|об|у|и|а|на|за|по|из|до|от|не|ни|но|для|без|при|или|№) (?=\S)",
    re.IGNORECASE,
)
_UNITS = re.compile(
    r"(?<=[\d)s]) (?=(?:кВт·ч|кВт|квар·ч|квар|кВ·А|В|А|Гц|°C|м³|Гкал|%%?|₽|ч|мин|с|день|дня|дней"
    r"|kWh|kW|kvarh|kvar)(?![\w·]))"
)


def typeset(text: str) -> str:
    """Glues short words to the next word, and units to their number, with no-break spaces."""
    return _UNITS.sub(NBSP, _SHORT_WORDS.sub(rf"\1{NBSP}", text))


@lru_cache(maxsize=len(LANGUAGES))
def catalog(name: str) -> std.GNUTranslations:
    """Load the catalog of one language, typeset."""
    # slow to import, and most commands say nothing that is translated
    from importlib.resources import files  # noqa: PLC0415

    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    source = files("hub.locale").joinpath(name, "LC_MESSAGES", "messages.po").read_bytes()
    messages = read_po(io.BytesIO(source), locale=name)
    for message in messages:
        if message.id and message.string:
            string = message.string
            message.string = (
                typeset(string) if isinstance(string, str) else tuple(map(typeset, string))
            )
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return std.GNUTranslations(compiled)


def gettext(message: str) -> str:
    return _said(language.get(), message)


@lru_cache(maxsize=4096)
def _said(name: str, message: str) -> str:
    return catalog(name).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    return catalog(language.get()).ngettext(singular, plural, n)


def N_(message: str) -> str:  # noqa: N802 - the name that extractors know
    """Mark a message for extraction; it is translated where it is shown."""
    return message
