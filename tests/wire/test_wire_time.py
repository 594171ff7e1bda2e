"""A nightly visit costs the wire what the arithmetic says: ``make proof wiretime``, some of it."""

import pytest
from proof.wiretime import CASES, SLOTS, nightly


@pytest.mark.parametrize("case", CASES[:4], ids=str)
def test_a_meter_day_is_near_its_arithmetic(case):
    visit = nightly(case)
    assert visit.slots == SLOTS
    assert visit.meter_day_s <= case.goal_s
    assert visit.meter_day_s == pytest.approx(case.limit_s, rel=0.01)
    assert all(part.accounted() for part in visit.parts.values())
    assert visit.meter_day_s < visit.with_identity_s < visit.whole_s
