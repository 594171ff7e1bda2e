"""``make catalogs``: collect the portal's messages and bring both translations up to date.

English sentences are the ids, so the English catalog is filled here; a Russian message that is
missing stays empty and is named. What nobody shows any more is dropped.
"""

import io
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

HUB = Path(__file__).resolve().parents[1] / "hub"
METHODS = [
    ("web/**.py", "python"),
    ("services/**.py", "python"),
    ("plugins/**.py", "python"),
    ("app.py", "python"),
    ("web/**/templates/**.html", "jinja2"),
]
OPTIONS = {"web/**/templates/**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
HEAD = "# Message catalog of the hub; ids are English sentences."
# Dates and names in the head change with every run and tell nothing that git does not.
NOISE = re.compile(
    r'"(?:POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team'
    r"|Report-Msgid-Bugs-To|Generated-By)[^\n]*\n"
)


def extracted() -> set[str | tuple[str, ...]]:
    """Ids that the code and the templates show; a plural one is a pair."""
    found = extract_from_dir(HUB, METHODS, OPTIONS, KEYWORDS)
    return {message for _path, _line, message, _comments, _context in found if message}


def po_path(name: str) -> Path:
    return HUB / "locale" / name / "LC_MESSAGES" / "messages.po"


def read(name: str) -> Catalog:
    with po_path(name).open("rb") as file:
        return read_po(file, locale=name)


def update(name: str) -> list[str]:
    """Write one catalog anew, and give the ids that have no words in it."""
    old = read(name)
    new = Catalog(
        locale=name, project="metering-hub", charset="utf-8", fuzzy=False, header_comment=HEAD
    )
    missing = []
    for message in extracted():
        known = old.get(message[0] if isinstance(message, tuple) else message)
        string = message if name == "en" else known.string if known else ""
        new.add(message, string or "")
        if not string or not all(string):
            missing.append(str(message))
    text = io.BytesIO()
    write_po(text, new, sort_output=True, width=100)
    po_path(name).write_text(NOISE.sub("", text.getvalue().decode()), encoding="utf-8")
    return sorted(missing)


if __name__ == "__main__":
    left = [f"{name}: {message}" for name in ("en", "ru") for message in update(name)]
    print(*left, sep="\n", end="\n" if left else "")
    sys.exit(1 if left else 0)
