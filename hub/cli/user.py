"""``hub user``: people who may sign in, added by whoever runs the hub."""

import sys
from collections.abc import Mapping

import click

from hub.cli.opening import open_store, read_settings


@click.group()
def user() -> None:
    """Add and change users."""


@user.command()
@click.option("--email", required=True, help="Address to sign in with.")
@click.option("--name", "full_name", required=True, help="Full name, as pages show it.")
@click.option(
    "--role",
    type=click.Choice(["consumer", "operator", "admin"]),
    default="consumer",
    show_default=True,
    help="What the user may do.",
)
@click.option("--phone", default="", help="Telephone, for whoever has to call.")
def add(email: str, full_name: str, role: str, phone: str) -> None:
    """Add a user, who may sign in at once.

    The password is asked for twice, or read from the first line of stdin where that is no
    terminal; it is never an option, because every process may see options.
    """
    from hub.errors import InputRefused
    from hub.services.accounts import Accounts

    password = _password()
    with open_store(read_settings()) as store:
        try:
            Accounts(store).add(
                email=email, full_name=full_name, password=password, role=role, phone=phone
            )
        except InputRefused as refused:
            raise click.UsageError(_sentence(refused.fields)) from refused
    click.echo(f"Added {role} {email}.")


WRONG = {
    "account.email_wrong": "The e-mail is not an address; write it like anna@example.org.",
    "account.name_wrong": "The name is empty or longer than 120 characters.",
    "account.phone_wrong": "The telephone is not a number; write it like +7 900 000-00-00.",
    "account.password_short": "The password is too short; it needs at least 8 characters.",
    "account.password_long": "The password is too long; it may have 1024 characters.",
}


def _sentence(fields: Mapping[str, str]) -> str:
    """Say all that is wrong."""
    return " ".join(WRONG.get(key, f"{name} is wrong.") for name, key in fields.items())


def _password() -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("There is no password on stdin; type it, or pipe it in.")
    return password
