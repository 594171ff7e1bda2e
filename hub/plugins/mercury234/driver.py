"""Conversations with a Mercury 23x: what it is, what it shows, what it keeps, what it is set to."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from hub.plugins.api import (
    Can,
    ChannelClosed,
    ClockMove,
    ClockReading,
    Consent,
    Cursor,
    FixedValues,
    Identity,
    JournalPage,
    Level,
    Limits,
    MeterState,
    MeterTime,
    NotSupported,
    Outcome,
    ProfilePage,
    Quantity,
    Register,
    WrongDevice,
)
from hub.plugins.mercury234 import registers as table
from hub.plugins.mercury234.fixed import FixedReader, has_fixed
from hub.plugins.mercury234.frames import data_of
from hub.plugins.mercury234.journal import JournalReader
from hub.plugins.mercury234.journal import books as journal_books
from hub.plugins.mercury234.models import Facts
from hub.plugins.mercury234.orders import Orders
from hub.plugins.mercury234.profile import ProfileReader
from hub.plugins.mercury234.session import Session
from hub.plugins.mercury234.snapshot import SnapshotReader, has_snapshot
from hub.plugins.mercury234.state import StateReader, has_limits, has_load_control
from hub.plugins.mercury234.values import parse_clock

TOLD, IN_PARTS = "identity", "parts"  # name and value among the habits
SERIAL, ALL_AT_ONCE, RATIOS, FIRMWARE, VARIANT = (
    bytes((0x08, parameter)) for parameter in (0x00, 0x01, 0x02, 0x03, 0x12)
)
CLOCK, OWN_ADDRESS = b"\x04\x00", b"\x08\x05"
GROUP_ADDRESS = 0
MONTH_END_MARGIN = timedelta(minutes=30)


def parse_facts(wire: bytes) -> Facts:
    """Read who answers; ValueError if it can't be a serial number and a date of making."""
    facts = Facts.parse(wire)
    if facts.made_on is None and max(wire[:4]) > 99:
        raise ValueError("neither a serial number nor a date of making")
    return facts


def parse_address(wire: bytes) -> int:
    """Read a network address; ValueError if none has two bytes."""
    if wire[0]:
        raise ValueError(f"address {wire.hex()}")
    return wire[1]


def parse_ratios(wire: bytes) -> dict[str, int]:
    """Read Kn and Kt, plain big-endian."""
    return {
        "voltage": int.from_bytes(wire[:2], "big"),
        "current": int.from_bytes(wire[2:4], "big"),
    }


class Mercury234:
    """One visit to one meter."""

    def __init__(self, address: int, passwords: dict[int, str], learned: Mapping[str, str]) -> None:
        self._habits = dict(learned)
        self._session = Session(address, passwords, self._habits)
        self._facts: Facts | None = None
        self._face: datetime | None = None
        self._profile: ProfileReader | None = None
        self._journal: JournalReader | None = None

    # -- the part every driver has --------------------------------------------------------------

    async def open(self, level: Level) -> None:
        """Open the channel; AccessDenied if the password is refused in both spellings."""
        await self._session.open(level)

    async def identify(self) -> Identity:
        """Say who answers. Before ``open`` this gives the serial number and little more."""
        facts = self._facts = await self._ask_facts()
        ratios: dict[str, int] = {}
        if facts.variant is not None:
            try:
                ratios, _ = await self._session.sense(RATIOS, 4, parse=parse_ratios)
            except NotSupported:
                ratios = {}  # direct meters of some executions have none
        return facts.identity(ratios)

    def can(self, identity: Identity) -> frozenset[Can]:
        """Return all that is not known to be absent, by its traits and by what it refused."""
        habits = self._habits
        known = {
            Can.PROFILE: "profile" in identity.traits,
            Can.JOURNAL: bool(journal_books(habits)),
            Can.SNAPSHOT: has_snapshot(habits),
            Can.FIXED: has_fixed(habits),
            Can.RELAY: has_load_control(habits),
            Can.LIMITS: has_load_control(habits) and has_limits(habits),
        }
        always = (Can.CLOCK, Can.REGISTERS, Can.STATE, Can.SET_CLOCK)
        return frozenset((*always, *(can for can, has in known.items() if has)))

    async def close(self) -> None:
        """Say goodbye."""
        await self._session.close()

    def learned(self) -> Mapping[str, str]:
        """Return the spelling of the password, meaning of the profile pointer, what was refused."""
        return dict(self._habits)

    # -- clock ----------------------------------------------------------------------------------

    async def read_clock(self) -> ClockReading:
        """Read the face, and when it was asked."""
        shown, reply = await self._session.sense(CLOCK, 8, parse=parse_clock)
        self._face = shown.face
        return ClockReading(shown=shown, asked_at=reply.sent_at, answered_at=reply.received_at)

    # -- registers ------------------------------------------------------------------------------

    def registers(self) -> frozenset[Register]:
        """All that can be asked; months by the meter's face, or by the last reply's time."""
        return table.answerable(self._facts, self._habits, self._face or self._session.heard_at)

    async def read_registers(self, wanted: Collection[Register]) -> Mapping[Register, Quantity]:
        """Read them, all tariffs of an array in one exchange where the meter can."""
        by_month = table.monthly(wanted)
        today = (await self.read_clock()).shown.face if by_month else None
        known = table.table(today)
        places = {register: place for register in wanted if (place := known.get(register))}
        facts = await self._known_facts()
        found = await table.RegisterReader(self._session, facts).read(places)
        if today is not None and (today + MONTH_END_MARGIN).month != today.month:
            # the month may have ended meanwhile, and with it what its number means
            later = (await self.read_clock()).shown.face
            if later.month != today.month:
                found = {reg: q for reg, q in found.items() if not table.monthly((reg,))}
        return found

    # -- profile --------------------------------------------------------------------------------

    async def read_profile(
        self, since: Cursor | None, span: tuple[MeterTime, MeterTime] | None = None
    ) -> ProfilePage:
        """One page of the main profile, oldest first."""
        if self._profile is None:
            self._profile = ProfileReader(self._session, await self._known_facts())
        return await self._profile.page(since, span)

    # -- journals -------------------------------------------------------------------------------

    def books(self) -> frozenset[str]:
        """All journals but those that this meter has refused."""
        return journal_books(self._habits)

    async def read_journal(self, book: str, since: Cursor | None) -> JournalPage:
        """All that is new of a book, as one page; an absent book is an empty one."""
        if self._journal is None:
            variant = (await self._known_facts()).variant
            two_seals = bool(variant and variant.has_cover_seal and variant.has_terminal_seal)
            shown = (await self.read_clock()).shown
            self._journal = JournalReader(self._session, shown, two_seals=two_seals)
        return await self._journal.page(book, since)

    # -- what it shows now ----------------------------------------------------------------------

    async def read_snapshot(self) -> Mapping[Register, Quantity]:
        """Read powers, voltages, currents, angles, distortion, frequency and temperature."""
        return await SnapshotReader(self._session).read()

    async def read_state(self) -> MeterState:
        """Read status word, tariff, load control, limits, settings, maxima of two months."""
        today = (await self.read_clock()).shown.face
        return await StateReader(self._session, await self._known_facts()).read(today)

    async def read_fixed(self) -> FixedValues | None:
        """Read what was latched last; None: nothing was."""
        return await FixedReader(self._session).read()

    # -- what changes it, with consent only -----------------------------------------------------

    async def fix(self, consent: Consent) -> Outcome:
        """Latch the present values; level 1 will do."""
        del consent
        return await (await self._orders()).fix()

    async def set_clock(
        self, target: Callable[[datetime], MeterTime], move: ClockMove, consent: Consent
    ) -> Outcome:
        """Correct the clock within four minutes (level 1), or set it (level 2)."""
        del consent
        return await (await self._orders()).set_clock(target, move)

    async def switch_relay(self, consent: Consent, *, closed: bool) -> Outcome:
        """Order the load on or off (level 2)."""
        del consent
        return await (await self._orders()).switch_relay(closed=closed)

    async def set_limits(self, limits: Limits, consent: Consent) -> Outcome:
        """Set limits in W and Wh and their control (level 2); stop at what is not confirmed."""
        del consent
        return await (await self._orders()).set_limits(limits)

    async def _orders(self) -> Orders:
        """Make ready for a change; NotSupported at the group address of a meter with its own."""
        if self._session.address == GROUP_ADDRESS:
            own, _ = await self._session.sense(OWN_ADDRESS, 2, parse=parse_address)
            if own != GROUP_ADDRESS:
                raise NotSupported(
                    f"Meters take no changes at address 0; ask this one at its own, {own}."
                )
        state = StateReader(self._session, await self._known_facts())
        return Orders(self._session, state, FixedReader(self._session), self.read_clock)

    # -- facts ----------------------------------------------------------------------------------

    async def _known_facts(self) -> Facts:
        if self._facts is None or self._facts.variant is None:
            self._facts = await self._ask_facts()
        return self._facts

    async def _ask_facts(self) -> Facts:
        sense = self._session.sense
        if self._habits.get(TOLD) != IN_PARTS:
            try:
                facts, _ = await sense(ALL_AT_ONCE, 16, parse=parse_facts)
            except NotSupported:
                self._habits[TOLD] = IN_PARTS
            except ChannelClosed:
                if self._session.greeted:
                    raise
            else:
                return facts
        try:
            facts, reply = await sense(SERIAL, 7, parse=parse_facts)
        except NotSupported as error:
            raise WrongDevice(
                "A device answers at this address and has no serial number to tell; "
                "it is another model or speaks another protocol."
            ) from error
        if not self._session.greeted:
            return facts  # the serial number is all that a closed channel tells
        firmware = await self._session.data(FIRMWARE, 3)
        variant = await self._session.data(VARIANT, 6)
        return Facts.parse(data_of(reply.frame) + data_of(firmware.frame) + data_of(variant.frame))
