"""Fixtures of the services' tests: a small world on a fresh store."""

import sys
from itertools import count
from pathlib import Path

import pytest

from hub.plugins.manager import Plugins
from hub.services.contracts import Contracts
from hub.services.exchange import Exchange
from hub.services.passwords import Passwords
from hub.store.unit import Store

sys.path.insert(0, str(Path(__file__).parent))  # worlds and metering are imported by name

from worlds import World


@pytest.fixture
def world(store: Store) -> World:
    return World(store, count(1))


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    return Passwords()


@pytest.fixture
def user(world: World) -> int:
    return world.user()


@pytest.fixture
def contracts(store: Store, plugins: Plugins, passwords: Passwords, clock) -> Contracts:
    return Contracts(store, plugins, passwords, clock)


@pytest.fixture
def exchange(store: Store, plugins: Plugins, passwords: Passwords, clock) -> Exchange:
    return Exchange(store, plugins, passwords, clock)
