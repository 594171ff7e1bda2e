"""Every hook is documented under its exact signature and has a test of its name."""

import ast
import inspect
import re
from pathlib import Path

from hub.plugins import hookspecs

ROOT = Path(__file__).resolve().parents[2]


def signatures():
    """Each hook as it is written: 'hub_plugin() -> PluginCard'."""
    for node in ast.parse(inspect.getsource(hookspecs)).body:
        if isinstance(node, ast.FunctionDef):
            arguments = ast.unparse(node.args)
            yield f"{node.name}({arguments}) -> {ast.unparse(node.returns)}"


def test_hooks_and_headings_are_the_same():
    page = (ROOT / "docs/reference/hooks.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## `(.+)`$", page, flags=re.MULTILINE)
    assert headings == list(signatures())


def test_every_hook_has_a_test_of_its_name():
    tests = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests/plugins").rglob("test_*.py")
    )
    for signature in signatures():
        name = signature.partition("(")[0]
        assert re.search(rf"^(async )?def test_{name}\(", tests, flags=re.MULTILINE), name


def test_every_hook_has_a_docstring():
    for signature in signatures():
        name = signature.partition("(")[0]
        assert inspect.getdoc(getattr(hookspecs, name)), name
