"""Cost by dated prices: none without a price, one rounding a zone, never of two kinds of data."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from test_service_pages import daily
from worlds import T1_T2

from hub.domain.calendar import Level, minute_of
from hub.domain.money import Price
from hub.services.costs import Cost, kopecks_by_zone
from hub.services.registers import Registers
from hub.store import tables
from hub.store import told as kept

NOW = datetime(2026, 11, 24, 9, 10, tzinfo=UTC)
DAY = date(2026, 11, 20), date(2026, 11, 20)
TWO = (
    Price("T1", date(2026, 7, 1), 6_430_000),
    Price("T2", date(2026, 7, 1), 3_490_000),
    Price("", date(2026, 7, 1), 30_000_000),
)


@pytest.mark.clause("T9.cost-dated")
def test_each_zone_is_rounded_once_and_the_fixed_part_left_out():
    used = {"T1": Fraction(1, 3), "T2": Fraction(10)}
    assert kopecks_by_zone(TWO, None, used, DAY) == 214 + 3490
    assert kopecks_by_zone(TWO[:1], Fraction(2), {"": Fraction(2)}, DAY) == 1286


@pytest.mark.clause("T9.cost-no-price")
@pytest.mark.parametrize(
    ("prices", "days"),
    [
        ((), DAY),
        (TWO[2:], DAY),
        (TWO[::2], (date(2026, 6, 30), date(2026, 7, 1))),
        ((*TWO, Price("T2", date(2026, 11, 20), 4_000_000)), (date(2026, 11, 19), DAY[0])),
        ((TWO[0], Price("T3", date(2026, 7, 1), 1)), DAY),
    ],
)
def test_without_one_known_price_there_is_no_rouble(prices, days):
    used = {"T1": Fraction(1), "T2": Fraction(1)}
    assert kopecks_by_zone(prices, Fraction(2), used, days) is None
    assert kopecks_by_zone(TWO, None, {"T1": Fraction(1), "T2": None}, DAY) is None


def tell_prices(world, point: int) -> None:
    with world.store.write() as unit:
        own = unit.session.get(tables.ContractPoint, point)
        kept.put_tariffs(
            unit,
            own.contract_id,
            [
                tables.ContractTariff(
                    contract_id=own.contract_id, zone=price.zone, millionths=price.millionths,
                    valid_from=price.valid_from,
                )
                for price in TWO
            ],
        )  # fmt: skip


@pytest.mark.clause("T9.cost-line-source")
def test_a_line_is_of_registers_or_of_half_hours_and_says_so(world):
    user, point, _, meter = world.simple(rules=T1_T2, register_map={"T1": "T1", "T2": "T2"})
    daily(world, meter, 2)  # the meter knows 20 November, and no later day
    series = world.series(meter_id=meter)
    base = minute_of(datetime(2026, 11, 20, 21, tzinfo=UTC)) // 30
    world.slots(series, {base + n: ((2000, 0), 0) for n in range(48)})
    before = Registers(world.store, lambda: NOW)
    got = before.periods(user, point, DAY[0], DAY[0] + timedelta(days=2), Level.DAY)
    assert [each.cost for each in got.periods] == [None] * 3
    assert not got.priced
    tell_prices(world, point)
    got = before.periods(user, point, DAY[0], DAY[0] + timedelta(days=2), Level.DAY)
    night = sum(1 for rule in range(48) if not 14 <= rule < 46)
    assert [each.cost for each in got.periods] == [
        Cost(643 + 174 + 1, from_slots=False),  # 1 kWh and half a kWh, 174.5 rounded up
        Cost((48 - night) * 643 + night * 349, from_slots=True),
        None,
    ]


def test_without_a_register_map_zones_are_of_half_hours(world):
    user, point, _, meter = world.simple(rules=T1_T2)
    daily(world, meter, 2)
    tell_prices(world, point)
    got = Registers(world.store, lambda: NOW).periods(user, point, *DAY, Level.DAY)
    assert got.periods[0].used[-1] is not None
    assert got.periods[0].cost is None  # no half-hour is there to tell the zones
