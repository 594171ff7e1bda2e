"""The vocabulary of events: what can happen to a meter, how grave it is, and its facts.

One name a happening, whatever the maker's numbering; what a driver can't name is ``unknown`` and
keeps its raw bytes. The groups are the journals of the Russian open protocol (СПОДЭС, 0.0.99.98.E
of СТО 34.01-5.1-006, standards.md sections 7 and 8); a kind has none where the mapping is not
known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final

UNKNOWN: Final = "unknown"


class Severity(StrEnum):
    """How grave: stored, translated and filtered by under these names."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


class Group(IntEnum):
    """E of the СПОДЭС journal 0.0.99.98.E."""

    VOLTAGE = 0
    CURRENT = 1
    POWER = 2
    PROGRAMMING = 3
    TAMPERING = 4
    COMMUNICATION = 5
    ACCESS = 6
    SELF_TEST = 7
    QUALITY = 9
    CLOCK = 13
    POWER_CONTROL = 16


class Fact(StrEnum):
    """What a field of ``JournalEntry.detail`` holds. All are texts; units are in the names."""

    NUMBER = "number"  # '-12', '0.5'; of the unit that the name ends in, or a plain number
    FACE = "face"  # '2026-11-12T14:03:00' on the meter's face
    NAMES = "names"  # 'E-01 E-47', one space between
    BYTES = "bytes"  # '00 21', upper case
    WORDS = "words"  # as the device or the supplier put it


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of event. ``lasting``: it has an end, which may still have to come."""

    name: str
    severity: Severity
    lasting: bool = False
    group: Group | None = None
    fields: Mapping[str, Fact] = field(default_factory=dict)
    info_below: timedelta = timedelta()  # what lasted less is no more than an information

    def severity_of(self, lasted: timedelta | None) -> Severity:
        """Return how grave it was, once it is known how long it lasted (None: not known)."""
        if lasted is not None and timedelta() <= lasted < self.info_below:
            return Severity.INFO
        return self.severity


_PHASE: Final = {"phase": Fact.NUMBER}
_SHIFT: Final = {"before": Fact.FACE, "after": Fact.FACE, "shift_s": Fact.NUMBER}


def _kinds(
    severity: Severity,
    group: Group | None,
    *names: str,
    lasting: bool = False,
    fields: Mapping[str, Fact] = MappingProxyType({}),
    info_below: timedelta = timedelta(),
) -> list[Kind]:
    return [
        Kind(
            name=name,
            severity=severity,
            lasting=lasting,
            group=group,
            fields=fields,
            info_below=info_below,
        )
        for name in names
    ]


def _by_name(*families: Iterable[Kind]) -> Mapping[str, Kind]:
    return MappingProxyType({kind.name: kind for family in families for kind in family})


_INFO, _WARNING, _ALARM = Severity.INFO, Severity.WARNING, Severity.ALARM

KINDS: Final[Mapping[str, Kind]] = _by_name(
    # -- supply and its quality --
    _kinds(_WARNING, Group.POWER, "power_lost", info_below=timedelta(minutes=1), lasting=True),
    _kinds(
        _WARNING,
        Group.VOLTAGE,
        "phase_voltage_lost",
        "voltage_below_limit",
        "voltage_below_normal",
        "voltage_above_normal",
        "voltage_above_limit",
        fields=_PHASE,
        lasting=True,
    ),
    _kinds(_INFO, Group.CURRENT, "phase_current_lost", fields=_PHASE, lasting=True),
    _kinds(
        _WARNING,
        Group.QUALITY,
        "frequency_below_limit",
        "frequency_below_normal",
        "frequency_above_normal",
        "frequency_above_limit",
        lasting=True,
    ),
    # -- limits --
    _kinds(_WARNING, Group.POWER_CONTROL, "power_limit_exceeded", lasting=True),
    _kinds(_WARNING, None, "energy_limit_exceeded", fields={"tariff": Fact.NUMBER}),
    # -- hands on the meter --
    _kinds(
        _ALARM,
        Group.TAMPERING,
        "case_opened",
        "terminal_cover_opened",
        "magnetic_field",
        lasting=True,
    ),
    # -- what was set --
    _kinds(
        _INFO,
        Group.PROGRAMMING,
        "tariff_schedule_changed",
        "holidays_changed",
        "profile_initialised",
        "power_limit_changed",
        "energy_limit_changed",
        "loss_parameters_changed",
        "maxima_schedule_changed",
        "maxima_reset",
    ),
    _kinds(_WARNING, Group.PROGRAMMING, "energy_reset"),
    # of a whole day: began is its midnight; 'parameters' only where they are told beyond doubt
    _kinds(
        _INFO,
        Group.PROGRAMMING,
        "parameters_written",
        fields={"times": Fact.NUMBER, "map": Fact.BYTES, "parameters": Fact.NAMES},
    ),
    # -- the meter's own health --
    # 'faults' are all that hold from then on; what came and went only where that is known
    _kinds(
        _WARNING,
        Group.SELF_TEST,
        "self_test_changed",
        fields={
            "faults": Fact.NAMES,
            "appeared": Fact.NAMES,
            "gone": Fact.NAMES,
            "status_word": Fact.BYTES,
        },
    ),
    # -- the clock; told by the meter's journal and by the hub that did it --
    _kinds(_INFO, Group.CLOCK, "clock_corrected", fields=_SHIFT),
    # -- the hub's own --
    _kinds(
        _WARNING,
        Group.CLOCK,
        "clock_drifted",
        fields={"drift_s": Fact.NUMBER, "threshold_s": Fact.NUMBER},
    ),
    _kinds(
        _WARNING,
        Group.CLOCK,
        "clock_correction_refused",
        fields={"drift_s": Fact.NUMBER, "reason": Fact.WORDS},
    ),
    # 'after' the last entry that was read, 'before' the oldest kept; no 'after': since ever, which
    # lasts no time and is but an information: nobody was there to read
    _kinds(
        _WARNING,
        None,
        "journal_lost",
        fields={"after": Fact.FACE, "before": Fact.FACE},
        info_below=timedelta(seconds=1),
    ),
    _kinds(
        _INFO,
        None,
        "meter_replaced",
        fields={"serial_before": Fact.WORDS, "serial_after": Fact.WORDS},
    ),
)

#: For what no table names. The facts are the entry's raw bytes.
UNNAMED: Final = Kind(name=UNKNOWN, severity=Severity.WARNING)


def kind_of(name: str) -> Kind:
    """Return the kind of this name; ``UNNAMED`` for a name that the vocabulary has not."""
    return KINDS.get(name, UNNAMED)
