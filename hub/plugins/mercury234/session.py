"""The channel: passwords in two spellings, one reopening, refusals turned into errors.

Every request of the driver goes through ``Session``. Repeats on silence and on damage are the
line's; here only an answer that passed the CRC and still makes no sense is asked for again.
"""

import contextlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from datetime import datetime
from typing import TypeVar

from hub.plugins.api import (
    AccessDenied,
    ChannelClosed,
    DeviceError,
    DeviceFault,
    FrameGarbled,
    HubError,
    Level,
    LineDown,
    NotSupported,
    Refused,
    Reply,
    ReplyTimeout,
    WrongDevice,
    ask,
    rest,
)
from hub.plugins.mercury234 import hdlc
from hub.plugins.mercury234.frames import (
    BAD_COMMAND,
    CHANNEL_NOT_OPEN,
    INTERNAL_ERROR,
    LEVEL_TOO_LOW,
    OK,
    STATUS_FRAME,
    data_of,
    reply_rule,
    request,
    status_of,
    status_text,
)

T = TypeVar("T")

LEVELS = {Level.READ: 1, Level.CONFIGURE: 2}
SPELLING = "password"  # its name among the habits
DIGITS, ASCII, RAW = "digits", "ascii", "raw"
RAW_PREFIX = "hex:"
PASSWORD_BYTES = 6
PASSWORD_IN_FRAME = slice(3, 11)  # the password and the CRC, which would give it away
OTHER_PROTOCOL = (
    "The meter answers in HDLC (DLMS, SPODES) and not in the maker's own protocol, as Mercury "
    "meters with the letter D may: right maker, other protocol. Set its interface to the Mercury "
    "protocol, or use a driver for SPODES."
)
SENSELESS_ANSWERS = 2  # of one request, each with a good CRC, before giving up
LATE_ANSWERS_S = 3.0  # after this rest, what comes answers what is asked
LACKS = "lacks"  # what the meter refused for good, among the habits


def spellings(password: str) -> dict[str, bytes]:
    """Return the ways to send a password, the usual one first; ValueError if it can't be sent.

    Six digits go as six numbers or as six characters, other text only as characters, and
    ``hex:`` with twelve hexadecimal digits as exactly these bytes.
    """
    if password.startswith(RAW_PREFIX):
        raw = bytes.fromhex(password.removeprefix(RAW_PREFIX))
        ways = {RAW: raw}
    elif password.isascii() and password.isdigit():
        ways = {DIGITS: bytes(int(digit) for digit in password), ASCII: password.encode("ascii")}
    else:
        ways = {ASCII: password.encode("ascii")}
    if any(len(way) != PASSWORD_BYTES for way in ways.values()):
        raise ValueError("a password has six characters, or is hex: with twelve digits")
    return ways


def lacking(habits: Mapping[str, str]) -> frozenset[str]:
    """Return what was refused: requests in hex, without the code 08."""
    return frozenset(habits.get(LACKS, "").split())


def note_lack(habits: MutableMapping[str, str], request: str) -> None:
    """Remember a refusal; the session has seen to it that it was said twice."""
    habits[LACKS] = " ".join(sorted(lacking(habits) | {request}))


def refusal(status: int) -> DeviceError:
    """Return the error for a status that came where data, or ok, were due."""
    said = f"The meter answered '{status_text(status)}'"
    if status == BAD_COMMAND:
        return NotSupported(f"{said}: it does not have what was asked for.", status=status)
    if status == INTERNAL_ERROR:
        return DeviceFault(
            f"{said}; read its status word and call service if this stays.", status=status
        )
    if status == LEVEL_TOO_LOW:
        return AccessDenied(
            f"{said}; set the password of the level that may do this.", status=status
        )
    if status == CHANNEL_NOT_OPEN:
        return ChannelClosed(f"{said}, twice; it is opened again at the next visit.", status=status)
    return Refused(f"{said} where data were due; read it again later.", status=status)


class Session:
    """One visit's channel to one meter.

    ``habits`` is what is worth keeping between visits; the spelling of the password that worked
    is put there.
    """

    def __init__(
        self, address: int, passwords: dict[int, str], habits: MutableMapping[str, str]
    ) -> None:
        self.address = address
        self.habits = habits
        self.opened = False
        self.heard_at: datetime | None = None
        self._passwords = passwords
        self._level = LEVELS[Level.READ]
        self._works: bytes | None = None

    async def open(self, level: Level) -> None:
        """Open the channel, in at most two spellings; AccessDenied if all are refused."""
        self._level = LEVELS[level]
        ways = spellings(self._passwords[self._level])
        known = self.habits.get(SPELLING)
        for name in sorted(ways, key=lambda way: way != known):
            try:
                let_in = await self._knock(ways[name])
            except ReplyTimeout:
                if not self.habits:
                    await self._look_for_hdlc()
                raise
            if let_in:
                self._works = ways[name]
                if len(ways) > 1:
                    self.habits[SPELLING] = name
                return
        raise AccessDenied(
            f"The meter refused the password of level {self._level}; "
            "check the password and set it anew."
        )

    @property
    def greeted(self) -> bool:
        """Tell whether the meter let us in at least once in this visit."""
        return self._works is not None

    async def close(self) -> None:
        """Say goodbye, if there is somebody to say it to."""
        if not self.opened:
            return
        self.opened = False
        try:
            await self._exchange(b"\x02", 1)
        except (ReplyTimeout, FrameGarbled, LineDown):
            # The meter closes the channel by itself; a goodbye that got lost spoils nothing.
            return

    async def data(self, body: bytes, *sizes: int, firm: bool = False) -> Reply:
        """Ask for data of one of these sizes; a refusal is raised as a ``DeviceError``.

        A closed channel is opened again once for each request.
        """
        reply = await self._asked(body, sizes, firm=firm)
        self.heard_at = reply.received_at
        if not _refused(reply, sizes):
            return reply
        if status_of(reply.frame) == CHANNEL_NOT_OPEN:
            await self._reopen()
            reply = await self._exchange(body, *sizes, firm=firm)
        if _refused(reply, sizes) and status_of(reply.frame) == BAD_COMMAND:
            # what a meter lacks is remembered for good, so it has to say so twice
            reply = await self._exchange(body, *sizes, firm=firm)
        if _refused(reply, sizes):
            raise refusal(status_of(reply.frame))
        return reply

    async def sense(
        self,
        body: bytes,
        *sizes: int,
        parse: Callable[[bytes], T],
        firm: bool = False,
    ) -> tuple[T, Reply]:
        """Ask for data and read them; ask again while ``parse`` raises ValueError.

        About one damaged frame in 65,536 passes the CRC. What makes no sense twice is a
        ``FrameGarbled``, never a value.
        """
        received = b""
        senseless: ValueError | None = None
        for _ in range(SENSELESS_ANSWERS):
            if senseless:
                await rest(LATE_ANSWERS_S)
            reply = await self.data(body, *sizes, firm=firm)
            try:
                return parse(data_of(reply.frame)), reply
            except ValueError as error:
                senseless, received = error, reply.frame
        raise FrameGarbled(
            f"The meter's answer has a good check and makes no sense ({senseless}); "
            "check that no other master talks on the line.",
            received=received,
        ) from senseless

    async def write(self, body: Callable[[datetime], bytes], *, wait_s: float | None = None) -> int:
        """Send once what changes the meter, made as it leaves; return the status answered.

        Raises AccessDenied and ChannelClosed for an answer that says so: nothing was changed.
        """
        reply = await ask(
            lambda at: request(self.address, body(at)),
            reply_rule(self.address, 1),
            timeout=wait_s,
            mutating=True,
        )
        self.heard_at = reply.received_at
        status = status_of(reply.frame)
        if status in {LEVEL_TOO_LOW, CHANNEL_NOT_OPEN}:
            raise refusal(status)
        return status

    async def _knock(self, password: bytes) -> bool:
        body = bytes((0x01, self._level)) + password
        try:
            reply = await self._exchange(body, 1, hide=(PASSWORD_IN_FRAME,))
        except FrameGarbled as error:
            raise other_protocol(error) from error
        self.opened = status_of(reply.frame) == OK
        return self.opened

    async def _look_for_hdlc(self) -> None:
        """Ask a meter that was never heard for a link in HDLC; WrongDevice if it gives one."""
        for address in (self.address, self.address + hdlc.SPODES_OFFSET):
            try:
                await ask(hdlc.link_request(address), hdlc.reply_rule)
            except (ReplyTimeout, FrameGarbled):
                continue
            with contextlib.suppress(ReplyTimeout, FrameGarbled, LineDown):
                await ask(hdlc.link_request(address, hdlc.DISC), hdlc.reply_rule)
            raise WrongDevice(OTHER_PROTOCOL)

    async def _reopen(self) -> None:
        if self._works is None:
            raise refusal(CHANNEL_NOT_OPEN)
        if not await self._knock(self._works):
            raise ChannelClosed(
                "The meter closed the channel and did not open it again; "
                "it is tried again at the next visit."
            )

    async def _exchange(
        self, body: bytes, *sizes: int, firm: bool = False, hide: tuple[slice, ...] = ()
    ) -> Reply:
        reply = await self._asked(body, sizes, firm=firm, hide=hide)
        self.heard_at = reply.received_at
        return reply

    def _asked(
        self, body: bytes, sizes: tuple[int, ...], *, firm: bool, hide: tuple[slice, ...] = ()
    ) -> Awaitable[Reply]:
        rule = reply_rule(self.address, *sizes, firm=firm)
        return ask(request(self.address, body), rule, hide=hide)


def _refused(reply: Reply, sizes: tuple[int, ...]) -> bool:
    return len(reply.frame) == STATUS_FRAME and 1 not in sizes


def other_protocol(error: FrameGarbled) -> HubError:
    """Return the better explanation of a greeting that came back as no frame."""
    if error.received[:1] == hdlc.FLAG:
        return WrongDevice(OTHER_PROTOCOL)
    return error
