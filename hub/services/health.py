"""How the hub's lines and meters fare."""

from dataclasses import dataclass

from hub.store import health
from hub.store.health import LineFare, MeterFare
from hub.store.unit import Store

__all__ = ["LineFare", "LineHealth", "MeterFare", "look"]


@dataclass(frozen=True, slots=True)
class LineHealth:
    """A line with its meters."""

    line: LineFare
    meters: tuple[MeterFare, ...]

    @property
    def well(self) -> bool:
        """Whether the line is up and no meter on it fails."""
        return self.line.down_since_at is None and not any(
            meter.stopped or meter.failures for meter in self.meters
        )


def look(store: Store) -> list[LineHealth]:
    """List all lines with their meters and last errors."""
    with store.read() as unit:
        meters = health.meters(unit)
        return [
            LineHealth(line, tuple(meter for meter in meters if meter.line_id == line.id))
            for line in health.lines(unit)
        ]
