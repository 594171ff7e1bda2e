"""The Mercury 23x family (230, 231, 233, 234, 236) of Incotex, by its own protocol."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import ConfigDict, SecretStr, model_validator

from corefast.crc import is_sealed
from hub.plugins.api import (
    API_VERSION,
    Can,
    Door,
    DriverSpec,
    Explained,
    PluginCard,
    PluginSettings,
    Secret,
    Simulator,
    SimulatorSettings,
    Timing,
    hookimpl,
    setting,
)
from hub.plugins.mercury234.books import BOOKS
from hub.plugins.mercury234.driver import Mercury234
from hub.plugins.mercury234.finding import probe
from hub.plugins.mercury234.hdlc import is_link_request
from hub.plugins.mercury234.parameters import FAULTS
from hub.plugins.mercury234.session import PASSWORD_IN_FRAME, spellings
from hub.plugins.mercury234.writes import NEW_PASSWORD, WRITE_CODE, act

# End-of-frame gap and longest wait for the first byte, ms, by speed.
TIMES_MS = {
    300: (160, 1600),
    600: (80, 800),
    1200: (40, 400),
    2400: (20, 250),
    4800: (10, 180),
    9600: (5, 150),
    19200: (3, 150),
    38400: (2, 150),
}
# Delivered at 9600 without parity; the rest by how often it is met.
DOORS = tuple(
    Door(baud, parity)
    for parity in ("N", "E", "O")
    for baud in (9600, 19200, 38400, 4800, 2400, 115200, 57600, 1200, 600, 300)
)
LONG_ANSWER_QUIET_S = 0.025  # a long answer may pause so long and go on
LATE_REPLY_S = 1.0  # a gateway may hold an answer back this long
MAY = frozenset(
    (
        Can.CLOCK,
        Can.REGISTERS,
        Can.SNAPSHOT,
        Can.PROFILE,
        Can.JOURNAL,
        Can.STATE,
        Can.FIXED,
        Can.SET_CLOCK,
        Can.RELAY,
        Can.LIMITS,
    )
)
OPEN, RAW_WRITE = 0x01, 0x07
READ_CODES = frozenset((0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x15, 0x16))


class MercurySettings(PluginSettings):
    """What one meter needs to be asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    address: int = setting(
        label="Network address",
        hint="As a rule the last three digits of the serial number; 0 if the meter is alone.",
        ge=0,
        le=0xFD,  # FE is for everybody and is never answered
        example="48",
    )
    password: Secret = setting(
        SecretStr("111111"),
        label="Password of level 1",
        hint="Six characters, or hex: and twelve digits for six bytes as they are.",
    )
    owner_password: Secret = setting(
        SecretStr("222222"),
        label="Password of level 2",
        hint="Only for setting the meter; six characters, or hex: and twelve digits.",
        advanced=True,
    )

    @model_validator(mode="after")
    def _passwords_can_be_sent(self) -> Self:
        for secret in (self.password, self.owner_password):
            spellings(secret.get_secret_value())
        return self


def build(settings: MercurySettings, learned: Mapping[str, str]) -> Mercury234:
    """Make the driver of one visit."""
    passwords = {
        1: settings.password.get_secret_value(),
        2: settings.owner_password.get_secret_value(),
    }
    return Mercury234(settings.address, passwords, learned)


def timing(baud: int) -> Timing:
    """Return the meter's times at a speed; one that is not listed has those of the next lower."""
    listed = max((speed for speed in TIMES_MS if speed <= baud), default=min(TIMES_MS))
    gap_ms, first_ms = TIMES_MS[listed]
    return Timing(
        first_byte_s=first_ms / 1000,
        gap_s=gap_ms / 1000,
        late_reply_s=first_ms / 1000 + LATE_REPLY_S,
        quiet_s=LONG_ANSWER_QUIET_S,
    )


def is_mutating(request: bytes) -> bool:
    """Tell whether a request may change the meter: all but the known reads may."""
    known = len(request) > 1 and request[1] in READ_CODES
    return not known and not is_link_request(request)


def secrets(request: bytes) -> Sequence[slice]:
    """Return where a request holds a password; one that is not understood is all secret.

    Raw writes (07) may reach the place where passwords are kept.
    """
    if not is_sealed(request):
        return (slice(0, None),)
    if request[1] == OPEN:
        return (PASSWORD_IN_FRAME,)
    if request[1] == RAW_WRITE or (request[1] == WRITE_CODE and request[2] == NEW_PASSWORD):
        return (slice(2, None),)
    return ()


def virtual_meters(settings: SimulatorSettings) -> Simulator:
    """Make virtual meters; the module is loaded only when somebody wants them."""
    from hub.plugins.mercury234.simulator import build as build_line  # noqa: PLC0415

    return build_line(settings)


def explain_exchange(request: bytes, response: bytes | None, hints: Mapping[str, str]) -> Explained:
    """Say one exchange in words; the module is loaded only when somebody asks."""
    from hub.plugins.mercury234.explain import explain  # noqa: PLC0415

    return explain(request, response, hints)


@hookimpl
def hub_plugin() -> PluginCard:
    """Introduce the driver."""
    return PluginCard(
        id="mercury234",
        title="Incotex Mercury 230, 231, 233, 234, 236",
        requires_api=API_VERSION,
    )


@hookimpl
def hub_meter_drivers() -> Sequence[DriverSpec[Any]]:
    """Declare the driver."""
    return (
        DriverSpec(
            id="mercury234",
            title="Incotex Mercury 230, 231, 233, 234, 236",
            models=("Mercury 230", "Mercury 231", "Mercury 233", "Mercury 234", "Mercury 236"),
            settings=MercurySettings,
            driver=Mercury234,
            build=build,
            may=MAY,
            timing=timing,
            is_mutating=is_mutating,
            act=act,
            books={book.name: book.title for book in BOOKS.values()},
            faults=FAULTS,
            simulator=virtual_meters,
            explain=explain_exchange,
            secrets=secrets,
            doors=DOORS,
            addresses=range(1, 0xF1),
            probe=probe,
        ),
    )
