"""``hub db``: the database as a whole."""

from pathlib import Path

import click


@click.group()
def db() -> None:
    """Upgrade, check, back up and restore the database."""


@db.command()
def upgrade() -> None:
    """Bring the tables to this version of the hub."""
    from hub.cli.opening import open_store, read_settings

    with open_store(read_settings(), need_keys=False, ready=False) as store:
        store.upgrade()
        click.echo(f"The database {store.where} is of this version.")


@db.command()
@click.option("--repair", is_flag=True, help="Have damaged days read again from their meters.")
@click.option("--json", "as_json", is_flag=True, help="For a program.")
def check(*, repair: bool, as_json: bool) -> int:
    """Look at every block of the profile, and at the database itself.

    A damaged day is named by its meter and date; with --repair the collector reads it again at
    its next visit. Exit code 1 if something is damaged still.
    """
    from hub.cli.kit import say_json
    from hub.cli.opening import open_store, read_settings
    from hub.services import upkeep

    with open_store(read_settings(), need_keys=False, ready=False) as store:
        store.check_schema()
        wrong = upkeep.integrity(store)
        found = upkeep.find_damage(store)
        mended = {item for item in found if repair and upkeep.repair(store, item)}
    if as_json:
        say_json(
            {
                "integrity": wrong,
                "damaged": [
                    {
                        "meter": item.meter,
                        "meter_id": item.meter_id,
                        "day": item.date,
                        "read_again": item in mended,
                    }
                    for item in found
                ],
            }
        )
    else:
        for line in wrong:
            click.echo(f"The database itself is damaged: {line}; restore a backup.")
        for item in found:
            next_step = "will be read again" if item in mended else "'hub db check --repair'"
            click.echo(f"Damaged: meter {item.meter}, {item.date} (UTC): {next_step}")
        if not (wrong or found):
            click.echo("The database is well.")
    return 1 if wrong or len(mended) < len(found) else 0


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy the database to FILE while it is in use.

    Keys of sealed secrets are never in it; keep them elsewhere.
    """
    from hub.cli.opening import open_store, read_settings
    from hub.services import upkeep

    with open_store(read_settings(), need_keys=False, ready=False) as store:
        store.check_schema()
        size = upkeep.backup(store, file)
    click.echo(
        f"Backed up to {file} ({size / 1_000_000:.1f} MB). The keys are not in it: keep HUB_KEYS "
        "or the key file elsewhere, or sealed secrets can't be opened again."
    )


@db.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Bring the backup FILE back in place of the present database."""
    from hub.cli.opening import open_store, read_settings
    from hub.services import upkeep

    with open_store(read_settings(), need_keys=False, ready=False) as store:
        kept = upkeep.restore(store, file)
        store.upgrade()
        where = store.where
    click.echo(f"Restored {where} from {file}." + (f" Before it was {kept}." if kept else ""))
