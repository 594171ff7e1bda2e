"""Words in the visitor's language, through a context variable that one request sets once.

Source strings are English message ids. The ``.po`` files travel in the wheel and are compiled
in memory at the first use, so there is no build step to forget.
"""

import gettext as std
import io
import re
from contextvars import ContextVar
from functools import lru_cache
from importlib.resources import files

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment

LANGUAGES = ("ru", "en")
DEFAULT_LANGUAGE = "ru"
LANGUAGE_COOKIE = "lang"

language: ContextVar[str] = ContextVar("language", default=DEFAULT_LANGUAGE)

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
    return catalog(language.get()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    return catalog(language.get()).ngettext(singular, plural, n)


_ = gettext


def N_(message: str) -> str:  # noqa: N802 - the name that extractors know
    """Mark a message for extraction; it is translated where it is shown."""
    return message


def choose(cookie: str | None, accept: str | None) -> str:
    """Choose the language of a request: the visitor's choice, else the browser's, else Russian."""
    if cookie in LANGUAGES:
        return cookie
    for part in (accept or "").split(","):
        code = part.split(";")[0].strip().split("-")[0].lower()
        if code in LANGUAGES:
            return code
    return DEFAULT_LANGUAGE


def install(env: Environment) -> None:
    """Give templates ``_`` and ``ngettext`` in the language of the running request."""
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, ngettext, newstyle=True
    )
    env.policies["ext.i18n.trimmed"] = True
