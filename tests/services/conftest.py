"""Fixtures of the services' tests: a small world on a fresh store."""

import sys
from itertools import count
from pathlib import Path

import pytest

from hub.store.unit import Store

sys.path.insert(0, str(Path(__file__).parent))  # worlds and metering are imported by name

from worlds import World


@pytest.fixture
def world(store: Store) -> World:
    return World(store, count(1))
