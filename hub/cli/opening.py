"""How commands find their settings, keys and database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hub.errors import KeysMissing, StoreUnavailable

if TYPE_CHECKING:
    from hub.plugins.manager import Plugins
    from hub.settings import Settings
    from hub.store.unit import Store

KEYS_FILE = "keys"


def read_settings() -> "Settings":
    """Read HUB_* variables; a wrong one is a sentence."""
    import click
    from pydantic import ValidationError

    from hub.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "HUB_" + str(first["loc"][0]).upper() if first["loc"] else "The settings"
        raise click.UsageError(f"{name} is wrong: {first['msg']}") from error


def read_keys(settings: "Settings") -> list[str]:
    """Return the keys of HUB_KEYS or else those of the data folder's key file; perhaps none."""
    if settings.keys:
        return [key.get_secret_value() for key in settings.keys]
    path = settings.data_dir / KEYS_FILE
    try:
        return path.read_text().split()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeysMissing(f"The key file {path} can't be read; check its rights.") from error


def write_keys(path: Path, keys: list[str]) -> None:
    """Replace the key file as a whole; only its owner may read it."""
    beside = path.with_name(path.name + ".new")
    try:
        beside.unlink(missing_ok=True)  # one that was left behind may have other rights
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write("\n".join(keys) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise StoreUnavailable(
            f"The key file {path} can't be written; check that its folder exists and may be "
            "written by this user."
        ) from error


@contextmanager
def open_store(
    settings: "Settings", *, need_keys: bool = True, ready: bool = True
) -> Iterator["Store"]:
    """Open the installation's database and close it at the end.

    ``ready``: an SQLite file is brought to this version, for PostgreSQL SchemaOutdated names
    'hub db upgrade'. ``need_keys``: KeysMissing if there are none.
    """
    from hub.store.secrets import Secrets
    from hub.store.unit import Store

    keys = read_keys(settings)
    if need_keys and not keys:
        raise KeysMissing
    if not settings.database_url:
        make_folder(settings.data_dir)
    store = Store.open(settings.database, keys=keys)
    try:
        if need_keys:
            Secrets(keys)  # a wrong key is told now, not at the first visit
        if ready and store.path is not None:
            store.upgrade()
        elif ready:
            store.check_schema()
        yield store
    finally:
        store.close()


def make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"The folder {path} can't be made; make it, or set HUB_DATA_DIR to another."
        ) from error


def open_plugins(settings: "Settings") -> "Plugins":
    """Load the plugins for a process that stays; each that is broken is a line in the log."""
    import structlog

    from hub.plugins.manager import load_plugins

    plugins = load_plugins(only=settings.plugins)
    log = structlog.get_logger("hub.plugins")
    for report in plugins.reports:
        if report.error:
            log.error(
                "plugin.unusable",
                plugin=report.id,
                state=report.state.value,
                package=f"{report.distribution} {report.version}".strip(),
                error=report.error,
                next_step=report.next_step,
            )
    return plugins
