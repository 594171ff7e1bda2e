"""The visitor's language: chosen by a cookie or the browser, given to templates.

What says words in it is ``hub.locale``; its names are given on here.
"""

from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from hub.locale import (
    DEFAULT_LANGUAGE,
    LANGUAGES,
    N_,
    NBSP,
    catalog,
    gettext,
    language,
    ngettext,
    speaking,
    typeset,
)

__all__ = [
    "DEFAULT_LANGUAGE",
    "LANGUAGES",
    "LANGUAGE_COOKIE",
    "NBSP",
    "N_",
    "catalog",
    "choose",
    "gettext",
    "install",
    "language",
    "ngettext",
    "speaking",
    "typeset",
]

LANGUAGE_COOKIE = "lang"


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
    env.newstyle_gettext = True  # type: ignore[attr-defined]
    env.policies["ext.i18n.trimmed"] = True
    env.globals.update(_=_say, gettext=_say, ngettext=_say_count)


def _say(message: str, /, **values: Any) -> Markup:
    return Markup(gettext(message)) % values  # noqa: S704 - the catalog is ours


def _say_count(singular: str, plural: str, n: int, /, **values: Any) -> Markup:
    return Markup(ngettext(singular, plural, n)) % {"num": n, **values}  # noqa: S704 - as above
