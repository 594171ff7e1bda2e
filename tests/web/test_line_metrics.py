"""``/metrics`` tells how lines fare, to whoever may see details."""

import pytest
from litestar.testing import TestClient
from pydantic import SecretStr

from hub.app import assemble
from hub.errors import StoreUnavailable
from hub.services import lines, meters
from hub.services.line_figures import line_figures
from hub.services.lines import Carried
from hub.settings import Settings
from hub.web.kit.line_metrics import as_prometheus


@pytest.fixture
def figures(store):
    meters.add_meter(
        store, line="tcp://gate:1?latency=0.5", driver="toy", settings='{"p": "s3cret"}'
    )
    meters.add_meter(store, line="tcp://gate:2", driver="toy", settings="{}")
    lease = lines.claim(store, 1, "boot/ns 4711 9", is_dead=lambda name: False)
    counts = {"asks": 7, "wire_s": 2.5, "events_alarm": 3}
    lines.renew(store, lease, Carried(counts, heard=True, visit_s={}))
    return lambda: line_figures(store, with_meters=False)


def test_counters_have_names_and_units(figures, clock):
    told = as_prometheus(figures()).decode().splitlines()
    assert 'hub_line_requests_total{line="tcp://gate:1?latency=0.5"} 7.0' in told
    assert 'hub_line_busy_seconds_total{line="tcp://gate:1?latency=0.5"} 2.5' in told
    assert 'hub_line_up{line="tcp://gate:2"} 1.0' in told
    events = [line for line in told if line.startswith("hub_line_events_total")]
    assert events == ['hub_line_events_total{line="tcp://gate:1?latency=0.5",severity="alarm"} 3.0']
    assert 'hub_line_held{line="tcp://gate:1?latency=0.5"} 1.0' in told
    assert 'hub_line_held{line="tcp://gate:2"} 0.0' in told
    (heard,) = (line for line in told if line.startswith("hub_line_last_answer_timestamp_seconds{"))
    assert float(heard.split()[-1]) == clock.at.timestamp()
    assert not any("s3cret" in line or "4711" in line for line in told)
    # a line that was never used has no counts, which is not zero
    assert not any("requests_total" in line and "gate:2" in line for line in told)


def asked(line_figures):
    app = assemble(
        Settings(keys=(SecretStr("k" * 44),), metrics_token=SecretStr("token-of-metrics")),
        shell_of=lambda request: None,
        line_figures=line_figures,
    )
    with TestClient(app) as client:
        assert client.get("/metrics").status_code == 404
        return client.get("/metrics", headers={"authorization": "Bearer token-of-metrics"}).text


def test_they_are_told_beside_the_process_s_own(figures):
    told = asked(figures)
    assert "python_info" in told
    assert "hub_line_requests_total{" in told


def test_a_store_that_is_away_takes_nothing_else_with_it():
    def away():
        raise StoreUnavailable

    assert "python_info" in asked(away)
