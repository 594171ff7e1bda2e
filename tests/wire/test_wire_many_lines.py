"""``make proof lines`` in small: what is counted was answered, by the hub and by its peer."""

import pytest
from proof.lines import one_round


@pytest.mark.e2e
@pytest.mark.parametrize("client", ["hub", "pymodbus", "runner"])
def test_every_exchange_that_is_counted_was_answered(client):
    tally = one_round(client, lines=10, seconds=0.2)
    assert 0 < tally.exchanges <= tally.in_all
    assert tally.cpu_s > 0
