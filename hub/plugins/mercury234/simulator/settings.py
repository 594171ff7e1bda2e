"""What can be set in a meter, as one value: a write makes a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.plugins.mercury234.simulator import layouts
from hub.plugins.mercury234.simulator.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that writes change and reads show.

    Attributes:
        power_limit: 0.01 W; 0 is none.
        energy_limits: Wh since reset, by tariff 1..4; 0 is none.
        quality_limits: 0.01 V and 0.01 Hz: least, least normal, most normal, most; of each.
        output_switches: the pulse output (or relay) switches the load; else it is telemetry.
        ordered_off: the load was switched off through the interface.
        tripped: tariffs whose energy limit has switched the load off.
        power_tripped: the power limit has switched it off, and it stays off until ordered on.
        raw: what is only kept and shown again, by the parameter that writes it and its index.

    """

    address: int
    password: bytes
    owner_password: bytes
    quality_limits: tuple[int, ...]
    period: int
    voltage_ratio: int = 1
    current_ratio: int = 1
    power_limit: int = 0
    power_control: bool = False
    power_control_s: int = 30
    energy_limits: tuple[int, int, int, int] = (0, 0, 0, 0)
    energy_control: bool = False
    output_switches: bool = True
    ordered_off: bool = False
    tripped: frozenset[int] = frozenset()
    power_tripped: bool = False
    single_tariff: bool = False
    repeat: bool = False
    raw: Mapping[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def load_off(self) -> bool:
        """Whether the load is switched off."""
        energy = self.energy_control and bool(self.tripped)
        power = self.power_control and self.power_tripped
        return self.output_switches and (self.ordered_off or energy or power)

    def kept(self, parameter: int, index: int, otherwise: bytes) -> bytes:
        """Return what was written as a parameter, or what it was from the factory."""
        return self.raw.get((parameter, index), otherwise)


def factory(options: Options, address: int) -> Settings:
    """Return the settings that a meter leaves the factory with."""
    nominal = layouts.nominal_cv(options.constant)
    volts = (nominal * percent // 100 for percent in (80, 90, 110, 120))
    return Settings(
        address=address,
        password=options.password,
        owner_password=options.owner_password,
        quality_limits=(*volts, 4_950, 4_980, 5_020, 5_050),
        period=options.period,
        single_tariff=options.tariffs == 1,
    )
