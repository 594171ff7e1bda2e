"""The parameters of code 08: what each holds, how long it is, and how to read it. No I/O.

One table for ``read_state`` and for ``hub wire decode`` (protocol paper, section 5). Values have
snake_case names with their unit. What the papers do not settle stays hex.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.plugins.api import N_
from hub.plugins.mercury234.frames import from_bcd, spaced, word_132, word_2143
from hub.plugins.mercury234.models import (
    Variant,
    firmware_text,
    firmware_tuple,
    made_on,
    serial_text,
)

Words = dict[str, object]
Decoder = Callable[[bytes], Words]

NOT_KEPT = 0xFFFF
# The status word's bytes: the number of the code that is bit 0 of each.
STATUS_BYTES = (33, 41, 17, 25, 1, 9)
CORRECTING = "E-47"  # the clock is being slowed down or sped up
FAULTS: Mapping[str, str] = {  # by code; message ids
    "E-01": N_("battery below 2.2 V"),
    "E-02": N_("memory 2"),
    "E-03": N_("UART 1"),
    "E-04": N_("metering converter"),
    "E-05": N_("exchange with memory 1"),
    "E-06": N_("clock"),
    "E-07": N_("memory 3, or a wrong address or count for the profile"),
    "E-09": N_("checksum of the program"),
    "E-10": N_("checksum of the calibration"),
    "E-11": N_("checksum of the energy registers"),
    "E-12": N_("checksum of the address"),
    "E-13": N_("checksum of the serial number"),
    "E-14": N_("checksum of the password"),
    "E-15": N_("checksum of the variant"),
    "E-16": N_("checksum of the tariff byte"),
    "E-17": N_("checksum of the load-control byte"),
    "E-18": N_("checksum of the power limit"),
    "E-19": N_("checksum of the energy limit"),
    "E-20": N_("checksum of the UART byte"),
    "E-21": N_("checksum of the indication of tariffs"),
    "E-22": N_("checksum of the indication of periods"),
    "E-23": N_("checksum of the time-out multiplier"),
    "E-24": N_("checksum of the programmable flags"),
    "E-25": N_("checksum of the holidays"),
    "E-26": N_("checksum of the tariff schedule"),
    "E-27": N_("checksum of the timer array"),
    "E-28": N_("checksum of the season transitions"),
    "E-29": N_("checksum of the location"),
    "E-30": N_("checksum of the ratios"),
    "E-31": N_("checksum of the period registers"),
    "E-32": N_("checksum of the profile's parameters"),
    "E-33": N_("checksum of the profile's registers"),
    "E-34": N_("checksum of the journals' pointers"),
    "E-35": N_("checksum of a journal's record"),
    "E-36": N_("checksum of the loss register"),
    "E-37": N_("checksum of the loss powers"),
    "E-38": N_("checksum of the loss energy"),
    "E-39": N_("checksum of the energy by phase"),
    "E-40": N_("a broadcast message has arrived"),
    "E-41": N_("checksum of the power-quality journals' pointers"),
    "E-42": N_("checksum of a power-quality record"),
    "E-47": N_("the clock is being corrected"),
    "E-48": N_("battery below 2.65 V"),
}
DEFERRED = {
    0: "defaults",
    1: "energy_reset",
    2: "profile_initialisation",
    3: "additional_profile_initialisation",
    4: "loss_profile",
    5: "power_quality",
    8: "schedule_write",
    9: "clock_correction",
}
# The eight words of 08 0D: the channel's OBIS code and the part of the day.
MAXIMA = tuple(
    (obis, unit, part)
    for obis, unit in (("1.6.0", "W"), ("2.6.0", "W"), ("3.6.0", "var"), ("4.6.0", "var"))
    for part in ("morning", "evening")
)
MAXIMA_NAMES = {  # those that the recorded exchange names
    0: "active_import_morning",
    1: "active_import_evening",
    2: "active_export_morning",
    4: "reactive_import_morning",
    6: "reactive_export_morning",
}
QUALITY = tuple(
    f"{value}_{limit}_{unit}"
    for value, unit in (("voltage", "v"), ("frequency", "hz"))
    for limit in ("min", "normal_min", "normal_max", "max")
)


def faults(wire: bytes) -> frozenset[str]:
    """Return the codes that are set in a status word; older firmware sends its end only.

    Five bytes are taken for 33 to 40 and the last four, four bytes for the last four.
    """
    firsts = STATUS_BYTES[:1] * (len(wire) > 4) + STATUS_BYTES[1:2] * (len(wire) > 5)
    firsts += STATUS_BYTES[2:]
    return frozenset(
        f"E-{first + bit:02d}"
        for first, byte in zip(firsts, wire, strict=True)
        for bit in range(8)
        if byte >> bit & 1
    )


def fault_words(codes: frozenset[str]) -> dict[str, str]:
    """Return the codes in order, each with what it means."""
    return {code: FAULTS.get(code, "not listed") for code in sorted(codes)}


def little_words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]


def maxima(wire: bytes) -> list[int | None]:
    """Read the counts of 08 0D in the order of ``MAXIMA``."""
    return [None if word == NOT_KEPT else word for word in little_words(wire)]


@dataclass(frozen=True, slots=True)
class Load:
    """The load-control word, 08 18."""

    off: bool
    off_by_order: bool
    off_by_energy_limit: frozenset[int]  # tariffs
    energy_control: bool
    power_control: bool
    output_is_control: bool  # the pulse output switches the load; otherwise it is telemetry
    reconnection_forbidden: bool

    @classmethod
    def parse(cls, wire: bytes) -> "Load":
        first, second = wire
        return cls(
            off=bool(second & 0x02),
            off_by_order=bool(first & 0x08),
            off_by_energy_limit=frozenset(t for t in range(1, 5) if first >> (3 + t) & 1),
            energy_control=bool(first & 0x04),
            power_control=bool(first & 0x02),
            output_is_control=bool(first & 0x01),
            reconnection_forbidden=bool(second & 0x40),
        )

    @property
    def off_by(self) -> frozenset[str]:
        by = {f"energy_limit:{tariff}" for tariff in self.off_by_energy_limit}
        return frozenset(by | {"order"} if self.off_by_order else by)

    @property
    def controls(self) -> frozenset[str]:
        enabled = {
            "energy_limit": self.energy_control,
            "power_limit": self.power_control,
            "relay": self.output_is_control,
        }
        return frozenset(name for name, on in enabled.items() if on)

    def words(self) -> Words:
        return {
            "load_on": not self.off,
            "load_off_by": sorted(self.off_by),
            "controls": sorted(self.controls),
            "reconnection_forbidden": self.reconnection_forbidden,
        }


def tariff_now(wire: bytes) -> int | None:
    """Read 08 17; None for a number that no tariff has."""
    number = (wire[1] >> 1 & 0x07) + 1
    return number if number <= 4 else None


def two_digits(byte: int) -> str:
    """Return BCD as it stands, ``??`` if it is none."""
    try:
        return f"{from_bcd(byte):02d}"
    except ValueError:
        return "??"


def _identity(data: bytes) -> Words:
    words = _serial(data)
    words["firmware"] = firmware_text(firmware_tuple(data[7:10]))
    words["variant"] = Variant.parse(data[10:16]).as_mapping()
    if len(data) > 16:
        words["program_crc_hex"] = spaced(data[16:18])
    return words


def identity_tail(data: bytes) -> Words:
    """Read what 08 01 00 has behind the 16 bytes of 08 01; empty if there is nothing."""
    if len(data) < 24:
        return {}
    return {"variant_extension_hex": spaced(data[18:20]), "reserve_hex": spaced(data[20:24])}


def _serial(data: bytes) -> Words:
    made = made_on(data[4:7])
    return {"serial": serial_text(data), "made_on": made.isoformat() if made else None}


def _ratios(data: bytes) -> Words:
    return {
        "voltage_ratio": int.from_bytes(data[:2], "big"),
        "current_ratio": int.from_bytes(data[2:], "big"),
    }


def _seasons(data: bytes) -> Words:
    def change(hour: int, day: int, month: int) -> str:
        return f"hour {two_digits(hour)}, day {two_digits(day)}, month {two_digits(month)}"

    return {"to_summer": change(*data[:3]), "to_winter": change(*data[3:6])}


def _hours(data: bytes) -> Words:
    names = ("morning_starts", "morning_ends", "evening_starts", "evening_ends")
    times = [f"{two_digits(data[at + 1])}:{two_digits(data[at])}" for at in range(0, 8, 2)]
    return dict(zip(names, times, strict=True))


def _maxima_words(data: bytes) -> Words:
    counts = maxima(data)
    return {name: counts[at] for at, name in MAXIMA_NAMES.items()}


def _quality(data: bytes) -> Words:
    return {n: word / 100 for n, word in zip(QUALITY, little_words(data), strict=True)}


def _deferred(data: bytes) -> Words:
    flags = int.from_bytes(data, "little")
    return {"deferred": [DEFERRED.get(bit, f"bit_{bit}") for bit in range(16) if flags >> bit & 1]}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name in words, its lengths, and how to read it.

    ``raw``: ``decoded`` of ``hub wire decode`` has its bytes alone, as the recorded exchanges are
    published; the words stand in ``response`` then.
    """

    title: str
    sizes: tuple[int, ...]
    words: Decoder | None = None
    raw: bool = False


def _number(name: str) -> Decoder:
    return lambda data: {name: int.from_bytes(data, "big")}


def _hex(name: str) -> Decoder:
    return lambda data: {name: spaced(data)}


MULTIPLIER = _number("timeout_multiplier")
PARAMETERS: Mapping[int, Parameter] = {
    0x00: Parameter("serial number and date of making", (7,), _serial),
    0x01: Parameter("identity: serial, date, firmware, variant", (16, 24), _identity),
    0x02: Parameter("transformer ratios", (4,), _ratios),
    0x03: Parameter(
        "firmware version", (3,), lambda data: {"firmware": firmware_text(firmware_tuple(data))}
    ),
    0x04: Parameter("time-out multiplier of the additional interface", (2,), MULTIPLIER, raw=True),
    0x05: Parameter("network address", (2,), _number("network_address")),
    0x06: Parameter("indication masks", (16,), None),
    0x07: Parameter("season changes", (6,), _seasons, raw=True),
    0x08: Parameter("time of power-limit control", (2,), _number("power_limit_control_s")),
    0x09: Parameter("programmable flags", (2,), _hex("flags_hex"), raw=True),
    0x0A: Parameter("status word", (4, 5, 6), lambda data: {"status_word_hex": spaced(data)}),
    0x0B: Parameter("location", (4,), _hex("location_hex")),
    0x0C: Parameter("hours of morning and evening maxima", (8,), _hours, raw=True),
    0x0D: Parameter("power maxima of a month", (16,), _maxima_words),
    0x12: Parameter("variant of execution", (6, 12), lambda data: Variant.parse(data).as_mapping()),
    0x17: Parameter(
        "tariff now",
        (2,),
        lambda data: {"tariff": tariff_now(data), "single_tariff": bool(data[1] & 1)},
    ),
    0x18: Parameter("load control", (2,), lambda data: Load.parse(data).words(), raw=True),
    0x19: Parameter("power limit", (3,), lambda data: {"power_limit_w": word_132(data) / 100}),
    0x1A: Parameter(
        "energy limit of a tariff", (4,), lambda data: {"energy_limit_wh": word_2143(data)}
    ),
    0x1B: Parameter("indication by tariff", (8,), None),
    0x1C: Parameter("indication by period", (4,), None),
    0x1D: Parameter("time-out multiplier of the main interface", (2,), MULTIPLIER),
    0x1E: Parameter("mode of technical losses", (2,), None),
    0x1F: Parameter(
        "powers of technical losses", (12,), lambda data: {"loss_powers": little_words(data)}
    ),
    0x20: Parameter("limits of power quality", (16,), _quality),
    0x21: Parameter(
        "averaging of voltage and frequency",
        (2,),
        lambda data: {"voltage_averaging_s": data[0], "frequency_averaging_s": data[1]},
        raw=True,
    ),
    0x22: Parameter("tariff schedule of half a day", (16,), None),
    0x23: Parameter("holidays of a month", (4,), _hex("holidays_hex")),
    0x24: Parameter("deferred operations", (2,), _deferred, raw=True),
    0x26: Parameter("CRC of the program", (2,), _hex("program_crc_hex")),
    0x27: Parameter("PLC modem", (), None),
    # Known from quotations of newer editions only, without their layouts.
    0x28: Parameter("channel", (), None),
    0x2A: Parameter("serial number of the remote display", (), None),
    0x2B: Parameter("functions", (), None),
    0x2D: Parameter("settlement day", (), None),
    0x2E: Parameter("mode of relay and limiter", (), None),
    0x2F: Parameter("event flags", (), None),
}
