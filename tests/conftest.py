"""Fixtures for all: a fresh store, a clock that is set."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import strangers

from hub.store.secrets import new_key
from hub.store.unit import Store

KEY = new_key()


class SetClock:
    """A clock that stands where a test puts it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        return self.at


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 24, 10, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables and no rows, made by the migrations once a test run."""
    path = tmp_path_factory.mktemp("store") / "empty.sqlite"
    store = Store.open(f"sqlite:///{path}", keys=[KEY])
    store.upgrade()
    with store.write() as unit:
        unit.cursor().execute("SELECT 1")
    store.close()
    return path


@pytest.fixture
def store(tmp_path: Path, empty_database: Path, clock: SetClock) -> Iterator[Store]:
    """A fresh store in a file; its clock is the ``clock`` fixture."""
    path = tmp_path / "hub.sqlite"
    shutil.copyfile(empty_database, path)
    opened = Store.open(f"sqlite:///{path}", keys=[KEY], clock=clock)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def strangers_wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with four plugins that are not ours, built and installed once a test run."""
    return strangers.install(tmp_path_factory.mktemp("strangers"), strangers.TOYS)
