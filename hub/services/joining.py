"""Joins what suppliers tell of points to the places and meters that the hub knows."""

from datetime import datetime

from hub.domain.contracts import joined
from hub.store import contracts as stored
from hub.store.unit import Unit


def join_points(unit: Unit, now: datetime) -> int:
    """Join points whose meter has proved its serial since they were told; give how many."""
    unit.session.flush()  # the serial may have been proved in this very unit
    count = 0
    for supplier_id, points in stored.unjoined(unit).items():
        places = stored.places(unit, supplier_id, [point.number for point in points], now)
        for point in points:
            place = joined(point.number, point.meter_serial, places)
            if place is not None:
                stored.join(unit, point.id, place)
                count += 1
    return count
