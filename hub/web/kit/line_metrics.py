"""How lines fare, in Prometheus' text form. An address of a line holds no secret."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from hub.domain.events import Severity
from hub.services.line_figures import LineFigures

# name in the figures -> name told, and what it is
COUNTERS = {
    "asks": ("hub_line_requests", "Requests sent, repeats included"),
    "repeats": ("hub_line_repeats", "Requests sent again after silence or damage"),
    "timeouts": ("hub_line_timeouts", "Requests that nobody answered"),
    "garbled": ("hub_line_damaged_answers", "Answers in which no frame could be made out"),
    "reconnects": ("hub_line_reconnects", "Connections that broke between exchanges"),
    "bytes_out": ("hub_line_sent_bytes", "Bytes sent"),
    "bytes_in": ("hub_line_received_bytes", "Bytes received as answers"),
    "bytes_unasked": ("hub_line_unasked_bytes", "Bytes that came when nothing was asked"),
    "wire_s": ("hub_line_busy_seconds", "Time of asking and of waiting for answers"),
    "held_s": ("hub_line_held_seconds", "Time for which a collector had the line"),
    "visits": ("hub_line_visits", "Visits to meters"),
    "visits_failed": ("hub_line_failed_visits", "Visits to meters that failed"),
}


class _Lines(Collector):
    def __init__(self, figures: Sequence[LineFigures]) -> None:
        self._figures = figures

    @override
    def collect(self) -> list[Metric]:
        up = GaugeMetricFamily("hub_line_up", "0: nobody on it can be reached", labels=["line"])
        held = GaugeMetricFamily("hub_line_held", "1: a collector has it", labels=["line"])
        heard = GaugeMetricFamily(
            "hub_line_last_answer_timestamp_seconds", "When somebody answered", labels=["line"]
        )
        told: list[Metric] = [up, held, heard]
        for line in self._figures:
            up.add_metric([line.address], float(line.down_since_at is None))
            held.add_metric([line.address], float(bool(line.holder)))
            if line.heard_at is not None:
                heard.add_metric([line.address], line.heard_at.timestamp())
        for name, (told_as, what) in COUNTERS.items():
            counter = CounterMetricFamily(told_as, what, labels=["line"])
            for line in self._figures:
                if name in line.total:
                    counter.add_metric([line.address], line.total[name])
            told.append(counter)
        events = CounterMetricFamily(
            "hub_line_events", "Events of meters, first seen", labels=["line", "severity"]
        )
        for line in self._figures:
            for severity in Severity:
                if count := line.total.get(f"events_{severity}"):
                    events.add_metric([line.address, severity], count)
        return [*told, events]


def as_prometheus(figures: Sequence[LineFigures]) -> bytes:
    """Write the figures of all lines."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Lines(figures))
    return generate_latest(registry)
