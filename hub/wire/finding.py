"""Finding meters: addresses by line settings, without a password.

First everybody is spoken to at once, at every setting: who is alone answers, several answer all at
once, which is heard as damage. Only then addresses are asked one by one, where somebody was heard;
where nobody was heard anywhere, at every setting.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.errors import FrameGarbled, LineDown, NotSupported, ReplyTimeout, WrongDevice
from hub.plugins.api.meter import Door, DriverSpec, Probed
from hub.wire.address import LineAddress, parse_line
from hub.wire.line import Line
from hub.wire.link import Link
from hub.wire.runner import run

PROBE_S = 60.0  # the driver's few exchanges; each has its own short time
ATTEMPTS = 3  # where an answer came damaged
SHOWN_BYTES = 32
REQUEST_CHARS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Somebody on a line. ``kind``: 'meter'; 'other', not one of the driver's; 'noise'."""

    line: str  # as LINE is written
    address: int | None  # None: heard when everybody was spoken to
    kind: str
    maker: str = ""
    model: str = ""
    serial: str = ""
    text: str = ""  # what is known beside


@dataclass(slots=True)
class Search:
    """What to search and what was found so far; readable after an interruption."""

    doors: Sequence[LineAddress]
    addresses: Sequence[int]
    everywhere: bool = False  # ask every address at every door, whatever was heard
    found: list[Finding] = field(default_factory=list)
    heard: list[Finding] = field(default_factory=list)  # when all were spoken to: several, or noise
    asked: int = 0


def doors_of(line: LineAddress, doors: Sequence[Door]) -> list[LineAddress]:
    """List the settings to try: as the line is written first, then the driver's.

    Behind a gateway the speed is the gateway's, so there is one.
    """
    if line.kind in ("tcp", "listen"):
        return [line]
    tried = [replace(line, baud=d.baud, parity=d.parity, stop_bits=d.stop_bits) for d in doors]
    return list(dict.fromkeys([line, *tried]))


def silence_s(spec: DriverSpec[Any], door: LineAddress) -> float:
    """Say how long one address takes at which nobody answers."""
    timing = spec.timing(door.baud)
    return REQUEST_CHARS * door.char_s + timing.first_byte_s + 2 * door.delay_s + timing.gap_s


def longest_s(spec: DriverSpec[Any], search: Search) -> float:
    """Say how long the search takes if nobody answers."""
    return sum((1 + len(search.addresses)) * silence_s(spec, door) for door in search.doors)


async def find(
    spec: DriverSpec[Any],
    search: Search,
    open_link: Callable[[LineAddress], Awaitable[Link]],
    *,
    repeats: int = 0,
    told: Callable[[float], None] = lambda _seconds: None,
) -> None:
    """Search; ``search.found`` grows. ``told``: seconds of ``longest_s`` that are done with.

    LineDown, LineBusy: the line can't be had at all. A setting that the port does not have is
    passed over.
    """
    scout = _Scout(spec, search, open_link, repeats, told)
    heard, open_doors = [], []
    trouble: LineDown | None = None
    for door in search.doors:
        try:
            if await scout.everybody(door):
                heard.append(door)
            open_doors.append(door)
        except LineDown as error:
            trouble = trouble or error  # perhaps of this setting only: not every port has all
            told(silence_s(spec, door))
    if trouble is not None and not open_doors:
        raise trouble
    if search.everywhere or not (heard or search.found):
        heard = open_doors
    for door in search.doors:
        if door in heard:
            await scout.one_by_one(door)
        else:
            told(len(search.addresses) * silence_s(spec, door))


class _Scout:
    def __init__(
        self,
        spec: DriverSpec[Any],
        search: Search,
        open_link: Callable[[LineAddress], Awaitable[Link]],
        repeats: int,
        told: Callable[[float], None],
    ) -> None:
        self.spec = spec
        self.search = search
        self.open_link = open_link
        self.repeats = repeats
        self.told = told
        self.watch: _EchoWatch | None = None

    async def everybody(self, door: LineAddress) -> bool:
        """Speak to all at once. True: addresses are worth asking here."""
        search = self.search
        async with self._line(door) as line:
            heard = await self._probe(line, None)
            self.told(silence_s(self.spec, door))
            if heard is None:
                return False
            if heard.kind == "other":
                search.found.append(heard)
                return False
            if heard.kind == "noise" or heard.address not in search.addresses:
                search.heard.append(heard)
                return True
            again = await self._probe(line, heard.address)
            if again != heard or line.stats.bytes_unasked:
                return True  # several that answered one behind another
            search.found.append(heard)
            return False

    async def one_by_one(self, door: LineAddress) -> None:
        """Ask every address that is not known yet."""
        search = self.search
        known = {one.address for one in search.found if _is_at(one, door)}
        async with self._line(door) as line:
            for address in search.addresses:
                if address not in known:
                    heard = await self._probe(line, address)
                    if heard is not None:
                        search.found.append(heard)
                self.told(silence_s(self.spec, door))

    def _line(self, door: LineAddress) -> Line:
        async def opened(address: LineAddress) -> Link:
            self.watch = _EchoWatch(await self.open_link(address))
            return self.watch

        # an adapter without an echo is served as well: the echo is cut off only if it is there
        return Line(opened, replace(door, echo=True), repeats=self.repeats)

    async def _probe(self, line: Line, address: int | None) -> Finding | None:
        """Ask, again if the answer came damaged. None: nobody is there."""
        damaged: list[bytes] = []
        for _ in range(ATTEMPTS):
            self.search.asked += 1
            try:
                return self._met(line, await self._ask(line, address))
            except ReplyTimeout:
                if not damaged:
                    return None
            except FrameGarbled as error:
                damaged.append(error.received)
            except WrongDevice as error:
                return self._finding(line, address, "other", text=str(error))
        if len(damaged) * 2 < ATTEMPTS:
            return None  # a late answer of another, or a click on the wire
        shown = damaged[0][:SHOWN_BYTES].hex(" ").upper()
        return self._finding(
            line, address, "noise", text=f"Somebody answers, and no frame can be made out: {shown}"
        )

    async def _ask(self, line: Line, address: int | None) -> Probed:
        probe = self.spec.probe
        if probe is None:
            raise NotSupported(f"The driver '{self.spec.id}' can't look for meters.")
        seat = line.seat(
            # a late answer carries its address and is told by it: nothing is waited out
            replace(self.spec.timing(line.address.baud), late_reply_s=0.0),
            is_mutating=self.spec.is_mutating,
            key=str(address),
        )
        with seat as exchange:
            return await run(probe(address), exchange, deadline=PROBE_S)

    def _met(self, line: Line, probed: Probed) -> Finding:
        who = probed.identity
        if who is None:
            return self._finding(line, probed.address, "meter", text="It does not say who it is.")
        return self._finding(
            line, probed.address, "meter", maker=who.maker, model=who.model, serial=who.serial
        )

    def _finding(self, line: Line, address: int | None, kind: str, **more: str) -> Finding:
        echoes = self.watch is not None and self.watch.echoes
        return Finding(
            line=str(replace(line.address, echo=echoes)), address=address, kind=kind, **more
        )


class _EchoWatch:
    """A link that notices whether the adapter hears itself."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._sent = b""
        self._heard = b""
        self.echoes = False
        self.drain = link.drain
        self.close = link.close

    async def send(self, data: bytes, /) -> None:
        self._sent, self._heard = data, b""
        await self._link.send(data)

    async def receive(self, timeout: float, /) -> bytes:  # noqa: ASYNC109 - a wait of the wire
        data = await self._link.receive(timeout)
        self._heard += data[: max(len(self._sent) - len(self._heard), 0)]
        self.echoes = self.echoes or self._heard == self._sent
        return data


def _is_at(one: Finding, door: LineAddress) -> bool:
    return parse_line(one.line) == replace(door, echo=parse_line(one.line).echo)
