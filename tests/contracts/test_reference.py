"""Commands and settings are documented, requirements hold no addresses."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hub.cli import COMMANDS, hub

ROOT = Path(__file__).resolve().parents[2]


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


GENERATE = runpy.run_path(str(ROOT / "docs/generate.py"))


@pytest.mark.parametrize("name", ["cli.md", "errors.md", "events.md", "settings.md"])
def test_reference_says_what_the_code_says(name):
    wanted = {path.name: content for path, content in GENERATE["pages"]().items()}
    same = text(f"docs/reference/{name}") == wanted[name]
    assert same, f"docs/reference/{name} is out of date; run 'make docs' and look at the difference"


def test_what_was_written_by_hand_is_kept():
    page = "## `hub a`\n\nmade\n\n<!-- by hand -->\n\nmine\n\n## `hub b`\n\nmade\n"
    assert GENERATE["written_by_hand"](page) == {"hub a": "\n\nmine\n\n"}
    assert "<!-- by hand -->\n\nmine\n" in GENERATE["cli"]({"hub collect": "\n\nmine\n\n"})


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_list_of_commands_says_what_the_command_says(name):
    command = hub.get_command(click.Context(hub), name)
    assert command.help
    assert command.name == name


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from hub.cli import run; run(['--help']);"
        "heavy = {'litestar', 'sqlmodel', 'pydantic', 'asyncio', 'corefast', 'pluggy'};"
        "sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_of_a_command_imports_nothing_heavy(name):
    code = (
        f"import sys; from hub.cli import run; run([{name!r}, '--help']);"
        "heavy = {'litestar', 'sqlmodel', 'sqlalchemy', 'pydantic', 'uvicorn', 'pluggy'};"
        "sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_environment_variable_is_in_the_reference():
    page = text("docs/reference/settings.md")
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "hub").rglob("*.py"))
    named = set(re.findall(r"\bHUB_[A-Z][A-Z_]*[A-Z]\b", sources))
    assert {name for name in named if f"`{name}`" not in page} == set()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.name
)
def test_requirements_are_pinned_hashed_and_without_addresses(path):
    content = path.read_text(encoding="utf-8")
    assert "://" not in content
    assert "index-url" not in content
    pins = re.split(r"^(?=[a-z0-9])", content, flags=re.MULTILINE)[1:]
    assert pins
    for pin in pins:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", pin)
        assert "--hash=sha256:" in pin


def test_build_requirements_are_those_of_the_project():
    pinned = text("requirements/build.txt")
    wanted = re.search(r'requires = \["(.+)"\]', text("pyproject.toml")).group(1).split('", "')
    assert {line for line in text("requirements/build.in").splitlines() if "#" not in line} == set(
        wanted
    )
    for requirement in wanted:
        assert re.search(rf"^{re.split('[=>]', requirement)[0]}==", pinned, flags=re.MULTILINE)
