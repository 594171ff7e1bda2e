"""A meter's month out of the store: the query, the blocks and the unpacking, warm.

The database holds 50 meters of a year, as the performance paper's did; each round reads another
month of another meter, so what is warm is the database's cache and not the answer.
"""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from conftest import Tell
from curves import households
from pytest_benchmark.fixture import BenchmarkFixture

from corefast.profile import pack_day
from hub.domain.series import Shape
from hub.store.blocks import read_days, write_day
from hub.store.unit import Store

SHAPE = Shape(minutes=30, channels=0b1111)
METERS, DAYS, MONTH = 50, 365, 31
FIRST_DAY = 20454  # 2026-01-01
ROUNDS = 2000


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("year") / "hub.db"
    store = Store.open(f"sqlite:///{path}", keys=[])
    store.upgrade()
    with store.write() as unit:
        cursor = unit.cursor()
        cursor.execute(
            "INSERT INTO line (address, reach, lease_token, lease_holder, failures, error_code, "
            "error_text) VALUES ('tcp://a:1', '', '', '', 0, '', '')"
        )
        for meter in range(1, METERS + 1):
            cursor.execute(
                "INSERT INTO meter (id, maker, serial, model, driver, line_id, sealed_settings, "
                "identity, learned) VALUES (?, 'T', ?, '', 't', 1, '', '{}', '{}')",
                (meter, str(meter)),
            )
            cursor.execute(
                "INSERT INTO series (id, meter_id, source, minutes, scale_num, scale_den, "
                "channels, ratios_applied) VALUES (?, ?, 'driver', 30, 500, 1, 15, 0)",
                (meter, meter),
            )
        values, flags = households(METERS, DAYS)
        for day in range(DAYS):
            for meter in range(METERS):
                body = pack_day(values[meter, day], flags[meter, day])
                write_day(cursor, meter + 1, FIRST_DAY + day, body)
    yield store
    store.close()


def some_months() -> Iterator[tuple[int, int]]:
    """Meters and first days, over and over."""
    return cycle((1 + n * 7 % METERS, FIRST_DAY + n * 13 % (DAYS - MONTH)) for n in range(997))


def test_month_of_a_meter(year: Store, benchmark: BenchmarkFixture, tell: Tell) -> None:
    months = some_months()
    with year.read() as unit:
        cursor = unit.cursor()

        def month() -> int:
            meter, day = next(months)
            return len(read_days(cursor, meter, SHAPE, day, day + MONTH - 1).flags)

        assert month() == MONTH
        benchmark.pedantic(month, rounds=ROUNDS, warmup_rounds=200)
        median_ms = benchmark.stats.stats.median * 1000
        tell("a meter's month out of the store, in an open unit", median_ms, "ms", at_most=0.1)
        cursor.execute("SELECT sum(length(body)), count(*) FROM block")
        size, blocks = cursor.fetchone()
        tell("block of 4 channels, bytes a slot", size / blocks / SHAPE.slots, "B", at_most=4.5)


def test_month_with_its_unit(year: Store, benchmark: BenchmarkFixture, tell: Tell) -> None:
    months = some_months()

    def month() -> int:
        meter, day = next(months)
        with year.read() as unit:
            return len(read_days(unit.cursor(), meter, SHAPE, day, day + MONTH - 1).flags)

    assert month() == MONTH
    benchmark.pedantic(month, rounds=ROUNDS, warmup_rounds=200)
    tell("the same with opening and closing the unit", benchmark.stats.stats.median * 1000, "ms")
