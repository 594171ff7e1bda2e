"""The command line's manners: exit codes, one plain sentence, quick help."""

import subprocess
import sys
from types import SimpleNamespace

import click
import pytest

from hub import cli
from hub.cli import COMMANDS, Lazy, run
from hub.errors import BadLine, LineDown

BUG = (
    "The hub failed with ZeroDivisionError: by zero; "
    "run it again with HUB_DEBUG=1 and report the traceback.\n"
)


@pytest.fixture
def command(monkeypatch):
    """Add a command 'test' that does what the function does."""
    monkeypatch.delenv("HUB_DEBUG", raising=False)

    def add(function):
        module = SimpleNamespace(test=click.command("test")(function))
        monkeypatch.setitem(sys.modules, "a_test_command", module)
        monkeypatch.setattr(
            cli, "COMMANDS", dict(COMMANDS) | {"test": Lazy("a_test_command:test", "A test.")}
        )

    return add


def raising(error):
    def fail():
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (LineDown(), 1, f"{LineDown.sentence}\n"),
        (LineDown("The cable is cut."), 1, "The cable is cut.\n"),
        (BadLine(), 2, f"{BadLine.sentence}\n"),
        (click.UsageError("Give a line."), 2, "Give a line; see 'hub test --help'.\n"),
        (click.ClickException("Not today."), 1, "Not today.\n"),
        (KeyboardInterrupt(), 130, "\n"),
        (
            ZeroDivisionError("by zero"),
            1,
            BUG,
        ),
    ],
)
def test_errors_are_one_sentence_and_an_exit_code(command, capsys, error, code, said):
    command(raising(error))
    assert run(["test"]) == code
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", said)


def test_debug_adds_the_traceback(command, capsys, monkeypatch):
    command(raising(LineDown()))
    monkeypatch.setenv("HUB_DEBUG", "1")
    assert run(["test"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert shown.endswith(f"{LineDown.sentence}\n")


def test_exit_code_of_a_command_is_kept(command):
    command(lambda: click.get_current_context().exit(3))
    assert run(["test"]) == 3


def test_success_is_silent(command, capsys):
    command(lambda: None)
    assert run(["test"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command 'nonsense'; see 'hub --help'.\n"),
        (["plugin", "list", "--jso"], "No such option '--jso'"),
        (["meter", "read"], "Missing argument 'LINE'; see 'hub meter read --help'.\n"),
    ],
)
def test_wrong_words_are_exit_code_2(capsys, arguments, said):
    assert run(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["meter"]])
def test_group_without_a_command_shows_its_help_as_it_is(capsys, arguments):
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Usage: hub")
    assert "\nCommands:\n  " in shown.err


def test_help_lists_every_command(capsys):
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, lazy in COMMANDS.items():
        assert f"  {name} " in shown
        assert lazy.help in shown


def test_version_is_the_distributions(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("hub, version ")


def test_reader_that_leaves_early_is_no_error():
    code = "import sys; from hub.cli import run; sys.exit(run(['--help']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1
