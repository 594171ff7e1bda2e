"""Commands and settings are documented, requirements hold no addresses."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hub.cli import COMMANDS, hub
from hub.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def commands(command, context):
    """Every command that can be called, by its words."""
    if not isinstance(command, click.Group):
        yield context.command_path, command
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        yield from commands(inner, click.Context(inner, info_name=name, parent=context))


def test_every_command_and_option_is_in_the_reference():
    sections = re.split(r"^## `", text("docs/reference/cli.md"), flags=re.MULTILINE)[1:]
    pages = {section.partition("`")[0]: section for section in sections}
    found = dict(commands(hub, click.Context(hub, info_name="hub")))
    assert sorted(pages) == sorted(found)
    for path, command in found.items():
        for parameter in command.params:
            for word in parameter.opts:
                shown = word if word.startswith("-") else parameter.make_metavar(None)
                assert shown.strip("[]") in pages[path], f"{path} {shown}"


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


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_the_reference(name):
    field = Settings.model_fields[name]
    wanted = f"| `HUB_{name.upper()}` | {field.description}"
    assert wanted in text("docs/reference/settings.md"), f"add the row: {wanted} | … |"


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
