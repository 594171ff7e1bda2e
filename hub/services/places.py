"""Setting up metering points: the place, its zones, and the meter installed there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.tariffs import parse_schedule
from hub.services import events
from hub.store import meters, places
from hub.store.tables import Installation
from hub.store.unit import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeter:
    """A meter on a line; ``settings`` is the driver's settings model as JSON, sealed when stored.

    ``serial`` may be empty: the first visit finds it out, and only then the point is joined to
    the supplier's.
    """

    line: str
    driver: str
    settings: str
    maker: str = ""
    serial: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlace:
    """A metering point and what is installed there since ``installed_at`` (aware UTC).

    ``clock_base_minutes``: what the meter's winter clock is ahead of UTC. ``register_map``: the
    meter's T1.. to the names of tariff zones. ``loss_millionths`` of the energy.
    """

    supplier_id: int
    number: str
    name: str
    time_zone: str
    meter: NewMeter
    installed_at: datetime
    schedule: str = ""
    rules: Sequence[Mapping[str, str]] = ()
    current_ratio: int = 1
    voltage_ratio: int = 1
    loss_millionths: int = 0
    clock_base_minutes: int = 180
    register_map: Mapping[str, str] = field(default_factory=dict)


def set_up(store: Store, place: NewPlace) -> tuple[int, int]:
    """Add the point, its meter and the installation at once; give the ids of point and meter.

    Raises BadSchedule, or Conflict if the point's number, or the meter's maker and serial, are
    there already.
    """
    parse_schedule(place.rules)
    with store.write() as unit:
        schedule_id = None
        if place.schedule:
            rules = [dict(rule) for rule in place.rules]
            schedule_id = places.schedule_named(unit, place.schedule, rules)
        point_id = places.add_point(
            unit,
            supplier_id=place.supplier_id,
            number=place.number,
            name=place.name,
            time_zone=place.time_zone,
            schedule_id=schedule_id,
        )
        meter_id = meters.add_meter(
            unit,
            line_address=place.meter.line,
            driver=place.meter.driver,
            settings=place.meter.settings,
            maker=place.meter.maker,
            serial=place.meter.serial,
            model=place.meter.model,
        )
        places.install(
            unit,
            Installation(
                metering_point_id=point_id,
                meter_id=meter_id,
                from_at=place.installed_at,
                current_ratio=place.current_ratio,
                voltage_ratio=place.voltage_ratio,
                loss_millionths=place.loss_millionths,
                clock_base_minutes=place.clock_base_minutes,
                register_map=dict(place.register_map),
            ),
        )
        return point_id, meter_id


def replace_meter(store: Store, point_id: int, meter: NewMeter, at: datetime) -> int:
    """Put another meter in the place of the one at a point, from an instant (aware UTC) on.

    The ratios, the clock's base and the register map go on; where they change too, end the
    installation and set up another. Gives the new meter's id; Missing if none is installed,
    Conflict if the instant is not after the present one was put in, or the serial is taken.
    """
    with store.write() as unit:
        before = places.end_installation(unit, point_id, at)
        meter_id = meters.add_meter(
            unit,
            line_address=meter.line,
            driver=meter.driver,
            settings=meter.settings,
            maker=meter.maker,
            serial=meter.serial,
            model=meter.model,
        )
        places.install(
            unit,
            Installation(
                metering_point_id=point_id,
                meter_id=meter_id,
                from_at=at,
                current_ratio=before.current_ratio,
                voltage_ratio=before.voltage_ratio,
                loss_millionths=before.loss_millionths,
                clock_base_minutes=before.clock_base_minutes,
                register_map=dict(before.register_map),
            ),
        )
        serials = {
            "serial_before": meters.meter(unit, before.meter_id).serial,
            "serial_after": meter.serial,  # empty until the first visit finds it out
        }
        known = {name: serial for name, serial in serials.items() if serial}
        events.note(unit, meter_id, "meter_replaced", at, known)
        return meter_id
