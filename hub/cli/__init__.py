"""The command ``hub``: a list of commands, each imported only when it is called.

Exit codes: 0 done, 1 failed, 2 asked wrongly, 130 interrupted. An error is one plain sentence on
stderr; HUB_DEBUG=1 adds the traceback.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import click
from typing_extensions import override

from hub.errors import BadLine, HubError

INTERRUPTED: Final = 130


class Lazy(NamedTuple):
    """Where a command lives, and its line in the list, known without importing it."""

    target: str
    help: str


COMMANDS: Final[Mapping[str, Lazy]] = {
    "collect": Lazy("hub.cli.collect:collect", "Read meters as they become due."),
    "db": Lazy("hub.cli.db:db", "Upgrade, check, back up and restore the database."),
    "demo": Lazy("hub.cli.demo:demo", "A whole small utility on this machine, meters included."),
    "doctor": Lazy("hub.cli.doctor:doctor", "Say what is installed and whether it is healthy."),
    "house": Lazy("hub.cli.house:house", "Keep a utility's own books."),
    "keys": Lazy("hub.cli.keys:keys", "Make and rotate the keys of sealed secrets."),
    "meter": Lazy("hub.cli.meter:meter", "Talk to one meter."),
    "plugin": Lazy("hub.cli.plugin:plugin", "List plugins and what is wrong with them."),
    "serve": Lazy("hub.cli.serve:serve", "Serve the portal."),
    "simulate": Lazy("hub.cli.simulate:simulate", "Run virtual meters on a line."),
    "supplier": Lazy("hub.cli.supplier:supplier", "Install suppliers for consumers to choose."),
    "user": Lazy("hub.cli.user:user", "Add and change users."),
    "wire": Lazy("hub.cli.wire:wire", "Explain, keep and play exchanges with meters."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports the one that is called."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].target.partition(":")
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name].target} is not a click command")
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in sorted(COMMANDS.items())])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="metering-hub", prog_name="hub")
def hub() -> None:
    """Run an open metering hub: meters, suppliers and consumers meet here."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; return the exit code. Errors are told on stderr, none is raised."""
    try:
        outcome: Any = hub.main(list(arguments), prog_name="hub", standalone_mode=False)
    except click.Abort:
        return INTERRUPTED
    except click.UsageError as error:
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            click.echo(error.format_message(), err=True)  # the whole help, as it is
        else:
            path = error.ctx.command_path if error.ctx else "hub"
            message = " ".join(error.format_message().split()).rstrip(".")
            _tell(f"{message}; see '{path} --help'.")
        return error.exit_code
    except click.ClickException as error:
        _tell(error.format_message())
        return error.exit_code
    except HubError as error:
        _tell(str(error), error)
        return 2 if isinstance(error, BadLine) else 1
    except Exception as error:  # noqa: BLE001 -- the last resort of the program
        said = f": {error}" if str(error) else ""
        _tell(
            f"The hub failed with {type(error).__name__}{said}; "
            "run it again with HUB_DEBUG=1 and report the traceback.",
            error,
        )
        return 1
    return outcome if isinstance(outcome, int) else 0


def _tell(sentence: str, error: Exception | None = None) -> None:
    if error is not None and os.environ.get("HUB_DEBUG") == "1":
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    click.echo(sentence, err=True)


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(sys.argv[1:]))
