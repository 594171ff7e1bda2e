"""Vendored files are what they say; the tokens keep their contrast; catalogs are complete."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from catalogs import extracted, read

import hub
import hub.web
from hub.errors import HubError
from hub.web.kit.error_words import WORDS
from hub.web.kit.i18n import LANGUAGES

ROOT = Path(hub.__file__).parent
STATIC = Path(hub.web.__file__).parent / "static"
VENDOR = STATIC / "vendor"
ENTRIES = json.loads((VENDOR / "VENDOR.json").read_text())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e["name"])
def test_vendored_files_are_unchanged_and_licensed(entry):
    assert any(file["path"].endswith("LICENSE.txt") for file in entry["files"])
    for file in entry["files"]:
        body = (VENDOR / file["path"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == file["sha256"]
        sri = base64.b64encode(hashlib.sha384(body).digest()).decode()
        assert file["sri"] == f"sha384-{sri}"
        assert file["path"].startswith(f"{entry['name']}-{entry['version']}/")


def test_nothing_is_vendored_unlisted():
    listed = {file["path"] for entry in ENTRIES for file in entry["files"]} | {"VENDOR.json"}
    assert {str(p.relative_to(VENDOR)) for p in VENDOR.rglob("*") if p.is_file()} == listed


def test_versions_are_those_of_the_lock_which_names_no_address():
    frontend = ROOT.parent / "frontend"
    lock = json.loads((frontend / "package-lock.json").read_text())
    for entry in ENTRIES:
        locked = lock["packages"][f"node_modules/{entry['package']}"]
        assert locked["version"] == entry["version"]
        assert locked["integrity"].startswith("sha512-")
    assert not any("resolved" in package for package in lock["packages"].values())
    assert next(e["version"] for e in ENTRIES if e["name"] == "htmx") == "4.0.1"


def test_style_sheets_and_scripts_load_nothing_from_elsewhere():
    for path in [*STATIC.glob("css/*.css"), *STATIC.glob("js/*.js")]:
        text = path.read_text()
        assert not re.search(r"https?://", text), path
        assert "eval(" not in text
        assert "innerHTML" not in text, "text goes in as text"


TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)",
        (STATIC / "css" / "1-tokens.css").read_text(),
    )
}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one: str, other: str, theme: int) -> float:
    a, b = (luminance(TOKENS[name][theme]) for name in (one, other))
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


SURFACES = ("bg", "surface", "sunken")
TEXT = [
    (t, s)
    for t in ("text", "text-2", "text-3", "accent", "ok", "warn", "bad", "info")
    for s in SURFACES
]
TEXT += [(t, f"{t}-soft") for t in ("accent", "ok", "warn", "bad", "info")]
TEXT += [("text", f"{t}-soft") for t in ("accent", "ok", "warn", "bad", "info")]
TEXT += [("on-accent", "accent"), ("on-accent", "accent-hover"), ("text", "raised")]
MARKS = [(m, s) for m in ("line-strong", "focus") for s in SURFACES]
LINES = ("z1", "z2", "z3", "z4", "p-plus", "p-minus", "q-plus", "q-minus", "compare", "gap")
MARKS += [(m, s) for m in LINES for s in ("surface", "bg")]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT, 4.5), (MARKS, 3.0)], ids=["text", "marks"])
def test_tokens_have_contrast(pairs, least, theme):
    low = {pair: ratio(*pair, theme) for pair in pairs}
    assert {pair: r for pair, r in low.items() if r < least} == {}


def test_every_colour_is_registered_for_the_canvas():
    css = (STATIC / "css" / "1-tokens.css").read_text()
    assert set(re.findall(r"@property --([a-z0-9-]+)", css)) == set(TOKENS)


@pytest.mark.parametrize("name", LANGUAGES)
def test_catalog_is_complete_and_has_nothing_unused(name):
    messages = {m.id: m for m in read(name) if m.id}
    assert extracted() - set(messages) == set(), "ids without a message"
    assert set(messages) - extracted() == set(), "messages nobody shows"
    for message in messages.values():
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings), message.id
        assert not message.fuzzy
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        holes = set(re.findall(r"%\((\w+)\)", ids[-1]))
        for string in strings:
            assert set(re.findall(r"%\((\w+)\)", string)) == holes, message.id
            assert "ё" not in string


def test_error_words_are_about_errors_that_exist():
    def kinds(base):
        for kind in base.__subclasses__():
            yield kind
            yield from kinds(kind)

    assert set(WORDS) <= {kind.code for kind in kinds(HubError)}
