"""``hub house appeals``, ``files`` and ``answer``: what consumers ask, and the answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.house.kit import as_json, books_of, of_supplier, print_json
from hub.cli.house.typed import read_day

if TYPE_CHECKING:
    from hub.services.bookkeeping import Asked

STATES = ("in_work", "answered", "closed", "refused")


@click.command()
@click.option("--all", "everything", is_flag=True, help="Those answered and closed too.")
@as_json
@of_supplier
def appeals(*, everything: bool, to_json: bool, supplier: str) -> None:
    """List appeals to answer, with what was said."""
    with books_of(supplier) as books:
        found = books.appeals(only_open=not everything)
    if to_json:
        print_json([_asked(each) for each in found])
        return
    if not found:
        click.echo("No appeals wait.")
    for each in found:
        click.echo(f"№{each.number}  {each.state}  {each.contract}  {each.subject}")
        for place, (at, who, words) in enumerate(each.thread):
            click.echo(f"    {at:%Y-%m-%d %H:%M} {who or each.email}: {words}")
            for of, _, name, size in each.files:
                if of == place:
                    click.echo(f"        {name}, {size:,} bytes")


@click.command()
@click.argument("appeal", type=int)
@click.option(
    "--to", default=".", type=click.Path(file_okay=False, path_type=Path),
    help="The folder to save in; it is made if it is not there.",
)  # fmt: skip
@of_supplier
def files(appeal: int, *, to: Path, supplier: str) -> None:
    """Save the files of an APPEAL, each under its number and name; none is written over."""
    with books_of(supplier) as books:
        found = books.files(appeal)
    if not found:
        click.echo(f"The appeal №{appeal} has no files.")
    try:
        to.mkdir(parents=True, exist_ok=True)
        for number, each in enumerate(found, 1):
            path = to / f"{appeal}-{number}-{each.name}"
            with path.open("xb") as file:
                file.write(each.content)
            click.echo(str(path))
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from error


@click.command()
@click.argument("appeal", type=int)
@click.argument("text", default="")
@click.option(
    "--state", default="answered", show_default=True, type=click.Choice(STATES),
    help="What becomes of the appeal.",
)  # fmt: skip
@click.option("--who", default="", help="Who answers; else the utility's title.")
@click.option("--due", default="", metavar="DAY", help="When it will be done.")
@click.option(
    "--file", "paths", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file to send along; may be given again.",
)  # fmt: skip
@of_supplier
def answer(
    appeal: int, text: str, *, state: str, who: str, due: str, paths: tuple[Path, ...],
    supplier: str,
) -> None:  # fmt: skip
    """Answer an APPEAL by its number, or with --state alone move it on."""
    from hub.domain.files import kind_of
    from hub.plugins.api import AppealState, Attachment

    sent = []
    for path in paths:
        content = path.read_bytes()
        sent.append(Attachment(name=path.name, media_type=kind_of(content), content=content))
    with books_of(supplier) as books:
        books.answer(
            appeal, text, state=AppealState(state), who=who, due=read_day(due) if due else None,
            files=sent,
        )  # fmt: skip
    click.echo(f"The appeal №{appeal} is {state.replace('_', ' ')}.")


def _asked(asked: "Asked") -> dict[str, Any]:
    return {
        "number": asked.number,
        "contract": asked.contract,
        "subject": asked.subject,
        "email": asked.email,
        "phone": asked.phone,
        "state": asked.state,
        "created_at": asked.created_at.isoformat(),
        "changed_at": asked.changed_at.isoformat(),
        "due_on": asked.due_on.isoformat() if asked.due_on else None,
        "thread": [
            {
                "at": at.isoformat(),
                "who": who,
                "text": words,
                "files": [name for of, _, name, _ in asked.files if of == place],
            }
            for place, (at, who, words) in enumerate(asked.thread)
        ],
    }
