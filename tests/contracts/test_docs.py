"""What the pages of docs say is there: links, folders, commands, code."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hub.cli import hub
from hub.cli.opening import KEYS_FILE, write_keys
from hub.plugins.mercury234 import hub_meter_drivers
from hub.plugins.mercury234.simulator import options
from hub.store.secrets import new_key
from hub.store.unit import Store

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
TOY = ROOT / "tests/plugins/toymeter/good"
TOWN = ROOT / "tests/plugins/townpower"


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path, *languages: str) -> list[str]:
    """Fenced blocks of a page."""
    fence = rf"^```(?:{'|'.join(languages)})\n(.*?)^```$"
    return re.findall(fence, path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_lead_somewhere(path):
    # Pictures are made by 'make screenshots'.
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


def test_index_leads_to_every_page():
    links = set(re.findall(r"\]\(([^)]+\.md)\)", (DOCS / "index.md").read_text("utf-8")))
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert links == pages - {"index.md"}


def test_tree_has_every_folder_and_no_other():
    page = (DOCS / "explanation/architecture.md").read_text("utf-8")
    listed = re.findall(r"^\| `([\w/]+)` \| ", page, flags=re.MULTILINE)
    assert [name for name in listed if not (ROOT / name).is_dir()] == []
    packages = {named(path.parent) for path in (ROOT / "hub").rglob("__init__.py")}
    # A migration is not for reading in order.
    assert {name for name in packages if not name.endswith("/versions")} <= set(listed)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_commands_of_the_pages_exist(path):
    text = path.read_text("utf-8")
    shown = re.findall(
        r"(?:^ {4}(?:\S+ )*(?:\S+/)?|`)hub ((?:[a-z]+ ?)+)", text, flags=re.MULTILINE
    )
    assert shown or path.name not in {"README.md", "first-steps.md"}
    for words in shown:
        command, context = hub, click.Context(hub)
        for word in words.split():
            if not isinstance(command, click.Group):
                break
            command = command.get_command(context, word)
            assert command is not None, f"hub {words}"


def test_code_of_the_tutorial_is_cut_out_of_the_toy():
    page = DOCS / "tutorial/driver.md"
    sources = [(TOY / name).read_text("utf-8") for name in ("toymeter.py", "toymeter_virtual.py")]
    snippets = blocks(page, "python")
    assert snippets
    for snippet in snippets:
        assert any(f"\n{snippet}" in source for source in sources), snippet
    (package,) = blocks(page, "toml")
    assert package == (TOY / "pyproject.toml").read_text("utf-8")


def test_code_of_the_connector_is_cut_out_of_its_file():
    page = DOCS / "tutorial/connector.md"
    source = (TOWN / "townpower.py").read_text("utf-8")
    snippets = blocks(page, "python")
    assert snippets
    for snippet in snippets:
        assert f"\n{snippet}" in source, snippet
    (package,) = blocks(page, "toml")
    assert package == (TOWN / "pyproject.toml").read_text("utf-8")


def test_script_of_the_first_steps_sets_a_point_up(tmp_path):
    (script,) = blocks(DOCS / "guide/first-steps.md", "python")
    write_keys(tmp_path / KEYS_FILE, [new_key()])
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        check=True, env=clean | {"HUB_DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    keys = (tmp_path / KEYS_FILE).read_text().split()
    store = Store.open(f"sqlite:///{tmp_path / 'hub.db'}", keys=keys)
    try:
        with store.read() as unit:
            cursor = unit.cursor()
            cursor.execute("SELECT number FROM metering_point")
            assert cursor.fetchall() == [("MP-0001",)]
            cursor.execute("SELECT maker, serial, driver FROM meter")
            assert cursor.fetchall() == [("Incotex", "41888848", "mercury234")]
    finally:
        store.close()


def test_page_of_the_mercury_has_every_setting_and_option():
    page = (DOCS / "devices/mercury234.md").read_text("utf-8")
    (spec,) = hub_meter_drivers()
    rows = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| `.*", page, flags=re.MULTILINE))))
    assert {*spec.settings.model_fields, *options._KNOWN} <= rows
    assert all(model.removeprefix("Mercury ") in page.splitlines()[0] for model in spec.models)
