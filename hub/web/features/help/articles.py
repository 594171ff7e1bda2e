"""The articles of «Помощь», in the order in which a newcomer needs them.

The text of an article is ``templates/help/<language>/_<slug>.html``; its picture is
``static/help/<slug>.<language>.png``, taken by ``tests/e2e/help_pictures.py``.
"""

from dataclasses import dataclass
from typing import Final

from hub.web.kit.i18n import N_


@dataclass(frozen=True, slots=True)
class Article:
    """One task. ``title`` and ``about`` are message ids, ``symbol`` an icon."""

    slug: str
    title: str
    about: str
    symbol: str

    @property
    def href(self) -> str:
        return f"/help/{self.slug}"


ARTICLES: Final = (
    Article(
        "start",
        N_("Register and sign in"),
        N_("An account for all your contracts, confirmed by a letter"),
        "user",
    ),
    Article(
        "recover",
        N_("Restore access"),
        N_("The password is forgotten or the phone with the codes is lost"),
        "key",
    ),
    Article(
        "contracts",
        N_("Add a contract and manage it"),
        N_("Link, rename, refresh, replace the password, unlink"),
        "plus",
    ),
    Article(
        "home",
        N_("What the main page shows"),
        N_("Balance, readings, what needs attention"),
        "house",
    ),
    Article(
        "submit",
        N_("Submit readings"),
        N_("For meters that are not read by themselves"),
        "gauge",
    ),
    Article(
        "readings",
        N_("See readings and consumption"),
        N_("By days, weeks and months, in tariff zones"),
        "chart-column",
    ),
    Article(
        "profile",
        N_("Study the power profile"),
        N_("Each hour or half-hour, peaks, gaps and comparison"),
        "activity",
    ),
    Article(
        "journal",
        N_("Understand the meter's events"),
        N_("Outages, voltage, covers, clock: in plain words"),
        "clock",
    ),
    Article(
        "notifications",
        N_("Read notifications"),
        N_("From the supplier and from the meters"),
        "bell",
    ),
    Article(
        "appeals",
        N_("Write to the supplier"),
        N_("An appeal, its number, status and answer"),
        "message-square",
    ),
    Article(
        "account",
        N_("Change your data and password"),
        N_("Name, phone, e-mail, password, codes, sessions"),
        "shield-check",
    ),
    Article(
        "files",
        N_("Download, print, take your data along"),
        N_("Tables as files, paper, an archive of all your data, deletion of the account"),
        "download",
    ),
    Article(
        "phone",
        N_("The portal on a phone"),
        N_("Install it like an app; what works without a connection"),
        "smartphone",
    ),
)
BY_SLUG: Final = {article.slug: article for article in ARTICLES}
