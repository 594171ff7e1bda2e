"""Consumers' rules: what fires, under which key, and when it may fire again."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from hub.domain.rules import (
    Drawn,
    Often,
    Quality,
    Rule,
    RuleKind,
    Used,
    Voltages,
    energy_over,
    power_over,
    silence,
    voltage_outside,
    wrong,
)

AT = datetime(2026, 11, 24, tzinfo=UTC)
DAY = AT.date()
HALF = timedelta(minutes=30)


def rule(kind, high, **more):
    return Rule(kind=kind, high=Decimal(high), **{"since": AT - timedelta(days=30), **more})


def half_hours(*powers, since=AT):
    return [
        Drawn((since + n * HALF).date(), since + n * HALF, since + (n + 1) * HALF, Fraction(power))
        for n, power in enumerate(powers)
    ]


def after(before, outcome):
    return replace(before, holding=outcome.holding, looked_at=outcome.looked_at)


# -- energy ------------------------------------------------------------------------------------


def used(energy, day=DAY, **quality):
    energy = None if energy is None else Fraction(energy)
    return Used(day, day, AT + timedelta(hours=18), energy, Quality(**quality))


def test_a_day_is_told_when_it_is_over_its_limit_and_not_on_it():
    own = rule(RuleKind.DAY_ENERGY, "12.5")
    assert energy_over(own, [used("12.5")]).firings == []
    (firing,) = energy_over(own, [used("12.501")]).firings
    assert (firing.key, firing.facts["value"], firing.facts["limit"]) == (
        "2026-11-24", "12.501", "12.5",
    )  # fmt: skip
    assert energy_over(own, [used("13")]).firings[0].key == firing.key


def test_a_gap_is_not_zero_and_nothing_known_is_no_firing():
    own = rule(RuleKind.DAY_ENERGY, "12")
    assert energy_over(own, [used(None, missing=48)]).firings == []
    (firing,) = energy_over(own, [used(13, missing=5, estimated=2, doubt=True)]).firings
    assert {name: firing.facts[name] for name in ("missing", "estimated", "doubt")} == {
        "missing": "5", "estimated": "2", "doubt": "1",
    }  # fmt: skip
    assert "partial" not in firing.facts


def test_what_ended_before_the_rule_was_set_is_not_told():
    own = rule(RuleKind.DAY_ENERGY, "12", since=AT + timedelta(hours=18, seconds=1))
    assert energy_over(own, [used(13)]).firings == []


# -- power -------------------------------------------------------------------------------------


def test_power_is_told_once_a_day_with_the_first_half_hour():
    own = rule(RuleKind.POWER, "5")
    slots = half_hours("5", "5.2", "1", "9")
    (firing,) = power_over(own, slots).firings
    assert (firing.key, firing.facts["value"], firing.at) == ("2026-11-24", "5.2", AT + 2 * HALF)
    both = [*slots, *half_hours("6", since=AT + timedelta(days=1))]
    assert [each.key for each in power_over(own, both).firings] == ["2026-11-24", "2026-11-25"]


def test_power_each_time_waits_until_it_is_well_inside_of_its_limit():
    own = rule(RuleKind.POWER, "5", often=Often.EACH)
    # On the edge it is one story; 4.8 is under the limit but has not recovered.
    outcome = power_over(own, half_hours("5.1", "4.8", "5.1", "4.75", "5.1"))
    assert [each.at - AT for each in outcome.firings] == [HALF, 5 * HALF]
    assert outcome.holding


def test_power_each_time_goes_on_where_it_stopped_looking():
    own = rule(RuleKind.POWER, "5", often=Often.EACH)
    slots = half_hours("6", "6", "1", "7")
    begun = power_over(own, slots[:2])
    again = power_over(after(own, begun), slots[:2])
    assert (again.firings, again.holding) == ([], True)
    rest = power_over(after(own, begun), slots)
    assert [each.facts["value"] for each in rest.firings] == ["7"]


def test_an_estimated_half_hour_says_so():
    (slot,) = half_hours("6")
    slot = replace(slot, quality=Quality(estimated=1))
    (firing,) = power_over(rule(RuleKind.POWER, "5"), [slot]).firings
    assert firing.facts["estimated"] == "1"


# -- silence -----------------------------------------------------------------------------------


def test_a_silence_has_one_key_from_its_begin_on():
    own = rule(RuleKind.SILENCE, "6")
    assert silence(own, AT, AT + timedelta(hours=5, minutes=59)).firings == ()
    first = silence(own, AT, AT + timedelta(hours=6))
    later = silence(own, AT, AT + timedelta(hours=30))
    assert first.holding
    assert first.firings[0].key == later.firings[0].key
    assert silence(own, AT + HALF, AT + timedelta(hours=30)).firings[0].key != first.firings[0].key


# -- voltage -----------------------------------------------------------------------------------


def volts(*phases, at=AT):
    return Voltages(at.date(), at, {n: Decimal(v) for n, v in enumerate(phases, 1)})


def test_only_phases_outside_of_the_limits_are_told():
    own = rule(RuleKind.VOLTAGE, "253", low=Decimal(207))
    assert voltage_outside(own, volts("207", "253", "230")).firings == ()
    (firing,) = voltage_outside(own, volts("206.9", "230", "253.4")).firings
    assert (firing.key, firing.facts["phase_1"], firing.facts["phase_3"]) == (
        "2026-11-24", "206.9", "253.4",
    )  # fmt: skip
    assert "phase_2" not in firing.facts


def test_voltage_each_time_waits_for_a_hundredth_inside():
    own = rule(RuleKind.VOLTAGE, "253", low=Decimal(207), often=Often.EACH)
    first = voltage_outside(own, volts("200"))
    held = after(own, first)
    assert first.firings
    assert voltage_outside(held, volts("200", at=AT + HALF)).firings == ()
    edge = voltage_outside(held, volts("208", at=AT + HALF))
    assert edge.holding
    well = voltage_outside(held, volts("230", at=AT + HALF))
    assert not well.holding
    again = voltage_outside(after(own, well), volts("200", at=AT + 2 * HALF))
    assert again.firings[0].key != first.firings[0].key


# -- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "low", "high", "field"),
    [
        (RuleKind.DAY_ENERGY, None, None, "high"),
        (RuleKind.DAY_ENERGY, None, "0", "high"),
        (RuleKind.DAY_ENERGY, None, "-1", "high"),
        (RuleKind.MONTH_ENERGY, None, "1.0005", "high"),
        (RuleKind.POWER, None, "NaN", "high"),
        (RuleKind.POWER, None, "1000001", "high"),
        (RuleKind.SILENCE, None, "1", "high"),
        (RuleKind.SILENCE, None, "2.5", "high"),
        (RuleKind.SILENCE, None, "721", "high"),
        (RuleKind.VOLTAGE, None, "253", "low"),
        (RuleKind.VOLTAGE, "253", "207", "high"),
        (RuleKind.VOLTAGE, "230", "231", "high"),
    ],
)
def test_limits_that_make_no_sense(kind, low, high, field):
    low, high = (None if each is None else Decimal(each) for each in (low, high))
    assert list(wrong(kind, low, high)) == [field]


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        (RuleKind.DAY_ENERGY, None, "0.001"),
        (RuleKind.SILENCE, None, "24"),
        (RuleKind.SILENCE, None, "24.0"),
        (RuleKind.VOLTAGE, "207", "253"),
    ],
)
def test_limits_that_do(kind, low, high):
    low, high = (None if each is None else Decimal(each) for each in (low, high))
    assert wrong(kind, low, high) == {}


def test_a_month_is_told_by_its_first_day():
    month = Used(date(2026, 11, 1), date(2026, 11, 30), AT, Fraction(301))
    (firing,) = energy_over(rule(RuleKind.MONTH_ENERGY, "300"), [month]).firings
    assert (firing.key, firing.facts["until"]) == ("2026-11-01", AT.isoformat())
