"""Who answers: serial, firmware, variant of execution."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date

from hub.plugins.api import Identity
from hub.plugins.mercury234.frames import from_bcd

MAKER = "Incotex"

LONG_ANSWERS_SINCE = (2, 2, 2)  # tariff 6, blocks of 17 records, 240 s of channel
RECORD_NUMBERS_SINCE = (7, 1, 0)  # the profile pointer counts records, not bytes
RELATIVE_READS_SINCE = (8, 0, 0)  # code 16h
QUADRANTS_SINCE = (8, 0, 0)  # code 15h
LONG_IDENTITY_SINCE = (8, 0, 0)  # 08 01 00; a meter that does not know this length is silent

# The meter does not say its name; the editions of the protocol tell which firmware is whose.
MODELS = ((9, "Mercury 234"), (8, "Mercury 236"), (7, "Mercury 233"), (0, "Mercury 230"))

ACCURACY = ("0.2", "0.5", "1.0", "2.0")
CONSTANTS = {0: 5000, 1: 25000, 2: 1250, 3: 500, 4: 1000, 5: 250}
INTERFACES = {0: "CAN", 1: "RS-485", 3: None}

# Bits of the sixth byte of the variant, which only later firmware fills. The published exchanges do
# not name them, so they are traits and no fields of ``Variant``.
LATER_TRAITS = (
    "external_load_control",
    "external_tariff_switch",
    "module_seal",
    "additional_profile",
    "second_plc",
    "iec_61107",
)

RING_RECORDS = {False: 4096, True: 8192}  # memory 3 of 65.5x8 and of 131x8


@dataclass(frozen=True, slots=True)
class Variant:
    """The six bytes of 08 12. Field names are the names of ``hub wire decode``."""

    accuracy_active: str
    accuracy_reactive: str
    nominal_voltage_v: float | int | None
    nominal_current_a: int | None
    directions: int
    temperature_min_c: int
    has_profile: bool
    phases: int
    imp_per_kwh: int | None  # None: a code that no edition lists
    sum_by_modulus: bool
    internal_tariff: bool
    energy_kind: str | None
    variant_number: int
    profile_memory_131x8: bool
    has_plc: bool
    has_gsm: bool
    has_optical_port: bool
    interface: str | None
    external_supply: bool
    has_cover_seal: bool
    has_relay: bool
    has_backlight: bool
    has_tariff_maxima: bool
    has_terminal_seal: bool
    has_second_interface: bool
    interface_internal_supply: bool
    has_power_quality: bool
    has_phase_energy: bool

    @classmethod
    def parse(cls, wire: bytes) -> "Variant":
        """Read the first six bytes of ``wire``; every combination of bits means something."""
        b1, b2, b3, b4, b5 = wire[:5]
        return cls(
            accuracy_active=ACCURACY[b1 >> 6],
            accuracy_reactive=ACCURACY[b1 >> 4 & 3],
            nominal_voltage_v={0: 57.7, 1: 230}.get(b1 >> 2 & 3),
            nominal_current_a={0: 5, 1: 1, 2: 10}.get(b1 & 3),
            directions=1 if b2 & 0x80 else 2,
            temperature_min_c=-40 if b2 & 0x40 else -20,
            has_profile=bool(b2 & 0x20),
            phases=1 if b2 & 0x10 else 3,
            imp_per_kwh=CONSTANTS.get(b2 & 0x0F),
            sum_by_modulus=bool(b3 & 0x80),
            internal_tariff=bool(b3 & 0x40),
            energy_kind={0: "AR", 1: "A"}.get(b3 >> 4 & 3),
            variant_number=b3 & 0x0F,
            profile_memory_131x8=bool(b4 & 0x80),
            has_plc=bool(b4 & 0x40),
            has_gsm=bool(b4 & 0x20),
            has_optical_port=bool(b4 & 0x10),
            interface=INTERFACES.get(b4 >> 2 & 3),
            external_supply=bool(b4 & 0x02),
            has_cover_seal=bool(b4 & 0x01),
            has_relay=bool(b5 & 0x80),
            has_backlight=bool(b5 & 0x40),
            has_tariff_maxima=bool(b5 & 0x20),
            has_terminal_seal=bool(b5 & 0x10),
            has_second_interface=bool(b5 & 0x08),
            interface_internal_supply=bool(b5 & 0x04),
            has_power_quality=bool(b5 & 0x02),
            has_phase_energy=bool(b5 & 0x01),
        )

    def as_mapping(self) -> dict[str, object]:
        """Return the fields in order, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def serial_text(wire: bytes) -> str:
    """Return the serial number: each of four bytes is two digits (three, if above 99)."""
    return "".join(f"{byte:02d}" for byte in wire[:4])


def made_on(wire: bytes) -> date | None:
    """Return the date of making from day, month, year in plain binary; None if impossible."""
    try:
        return date(2000 + wire[2], wire[1], wire[0])
    except ValueError:
        return None


def firmware_tuple(wire: bytes) -> tuple[int, int, int]:
    """Return the three parts of a firmware version, BCD on the wire."""

    def part(byte: int) -> int:
        try:
            return from_bcd(byte)
        except ValueError:
            return byte

    return part(wire[0]), part(wire[1]), part(wire[2])


def firmware_text(firmware: tuple[int, int, int]) -> str:
    return ".".join(str(part) for part in firmware)


def parse_firmware(text: str) -> tuple[int, int, int] | None:
    """Return '9.0.0' as a tuple; None if it is not three numbers."""
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return None
    return int(parts[0]), int(parts[1]), int(parts[2])


@dataclass(frozen=True, slots=True)
class Facts:
    """What the meter said about itself, as far as it was asked.

    ``firmware`` and ``variant`` are None if only the serial number could be read, which needs no
    open channel.
    """

    serial: str
    made_on: date | None
    firmware: tuple[int, int, int] | None
    variant: Variant | None
    raw: bytes

    @classmethod
    def parse(cls, wire: bytes) -> "Facts":
        """Read the 7 bytes of 08 00, or the 16 of 08 01 (serial, date, firmware, variant)."""
        whole = len(wire) >= 16
        return cls(
            serial=serial_text(wire),
            made_on=made_on(wire[4:7]),
            firmware=firmware_tuple(wire[7:10]) if whole else None,
            variant=Variant.parse(wire[10:16]) if whole else None,
            raw=wire,
        )

    def since(self, version: tuple[int, int, int]) -> bool:
        """Tell whether the firmware is of this version or later; False if unknown."""
        return self.firmware is not None and self.firmware >= version

    def identity(self, ratios: Mapping[str, int]) -> Identity:
        """Return the identity; ``ratios`` has Kn and Kt as ``voltage`` and ``current``, or not."""
        variant, firmware = self.variant, self.firmware
        return Identity(
            maker=MAKER,
            model=model_name(firmware),
            serial=self.serial,
            firmware=firmware_text(firmware) if firmware else "",
            made_on=self.made_on,
            phases=variant.phases if variant else None,
            imp_per_kwh=variant.imp_per_kwh if variant else None,
            current_ratio=ratios.get("current"),
            voltage_ratio=ratios.get("voltage"),
            traits=self._traits(),
            raw=self.raw,
        )

    def _traits(self) -> frozenset[str]:
        if self.variant is None:
            return frozenset()
        variant = self.variant
        traits = {
            "profile": variant.has_profile and variant.imp_per_kwh is not None,
            "one_direction": variant.directions == 1,
            "active_only": variant.energy_kind == "A",
            "sum_by_modulus": variant.sum_by_modulus,
            "internal_tariff": variant.internal_tariff,
            "phase_energy": variant.has_phase_energy,
            "power_quality": variant.has_power_quality,
            "tariff_maxima": variant.has_tariff_maxima,
            "memory_131": variant.profile_memory_131x8,
            "memory_64": not variant.profile_memory_131x8,
            "relay": variant.has_relay,
            "plc": variant.has_plc,
            "gsm": variant.has_gsm,
            "optical_port": variant.has_optical_port,
            "can": variant.interface == "CAN",
            "rs485": variant.interface == "RS-485",
            "second_interface": variant.has_second_interface,
            "external_supply": variant.external_supply,
            "interface_internal_supply": variant.interface_internal_supply,
            "cover_seal": variant.has_cover_seal,
            "terminal_seal": variant.has_terminal_seal,
            "backlight": variant.has_backlight,
            "long_answers": self.since(LONG_ANSWERS_SINCE),
            "record_numbers": self.since(RECORD_NUMBERS_SINCE),
            "relative_reads": self.since(RELATIVE_READS_SINCE),
        }
        held = {name for name, holds in traits.items() if holds} | set(later_traits(self.raw[10:]))
        held |= {
            f"accuracy_active_{variant.accuracy_active}",
            f"accuracy_reactive_{variant.accuracy_reactive}",
            f"from_{variant.temperature_min_c}_c",
            f"variant_{variant.variant_number}",
        }
        if variant.nominal_voltage_v is not None:
            held.add(f"nominal_{variant.nominal_voltage_v}_v")
        if variant.nominal_current_a is not None:
            held.add(f"nominal_{variant.nominal_current_a}_a")
        return frozenset(held)


def later_traits(variant: bytes) -> list[str]:
    """Return what the sixth byte of the variant says."""
    return [name for bit, name in enumerate(LATER_TRAITS) if variant[5] >> bit & 1]


def model_name(firmware: tuple[int, int, int] | None) -> str:
    """Return the model that this firmware is known from."""
    if firmware is None:
        return "Mercury 23x"
    return next(name for major, name in MODELS if firmware[0] >= major)
