"""A toy meter for the hub: the smallest whole driver, and its virtual meter.

    request   address, command letter, argument (4 bytes, high first), sum of the bytes before
    answer    address, command letter, length, that many bytes, sum of the bytes before

Commands: 'i' identity, 't' clock (seconds since 2020 on the face), 'e' energy in Wh (now, at the
day's start), 'o' oldest and newest half-hour kept, 'p' up to 48 half-hours from the argument on.
Half-hours are numbered from 2020-01-01T00:00 on the face; a count is one watt-hour.
"""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

from hub.plugins.api import (
    Can,
    ClockReading,
    Cursor,
    CursorLost,
    DriverSpec,
    Identity,
    MeterTime,
    PluginCard,
    PluginSettings,
    ProfilePage,
    Quantity,
    Register,
    Slot,
    Timing,
    Verdict,
    WrongDevice,
    ask,
    hookimpl,
    setting,
)

START, HALF_HOUR, SCHEME = datetime(2020, 1, 1), timedelta(minutes=30), "toymeter/1"
TOTAL, DAY_START = Register("1.8.0"), Register("1.8.0", "at:day:0")


class ToySettings(PluginSettings):
    address: int = setting(1, ge=1, le=200, label="meter.address")


def seal(data):
    return data + bytes([sum(data) % 256])


def whole(data):
    return Verdict(data[2] + 4) if len(data) > 2 and len(data) >= data[2] + 4 else Verdict()


def ends(number):
    return MeterTime(START + (number + 1) * HALF_HOUR)


class ToyDriver:
    def __init__(self, settings, learned):
        self.address = settings.address

    async def command(self, letter, argument=0):
        request = bytes([self.address]) + letter + argument.to_bytes(4, "big")
        reply = await ask(seal(request), whole)
        if seal(reply.frame[:-1]) != reply.frame or reply.frame[:2] != request[:2]:
            raise WrongDevice("This is no toy meter; check the address and the driver.")
        return reply

    async def numbers(self, letter, argument=0, size=4):
        body = (await self.command(letter, argument)).frame[3:-1]
        return [int.from_bytes(body[at : at + size], "big") for at in range(0, len(body), size)]

    async def open(self, level):
        await self.command(b"i")

    async def identify(self):
        serial = (await self.command(b"i")).frame[3:-1].decode("ascii")
        return Identity(maker="Toys", model="Toy 1", serial=serial, imp_per_kwh=1000, phases=1)

    def can(self, identity):
        return frozenset({Can.CLOCK, Can.REGISTERS, Can.PROFILE})

    async def close(self):
        return None

    def learned(self):
        return {}

    async def read_clock(self):
        reply = await self.command(b"t")
        face = START + timedelta(seconds=int.from_bytes(reply.frame[3:-1], "big"))
        return ClockReading(MeterTime(face), reply.sent_at, reply.received_at)

    def registers(self):
        return frozenset({TOTAL, DAY_START})

    async def read_registers(self, wanted):
        read = zip((TOTAL, DAY_START), await self.numbers(b"e"), strict=True)
        return {which: Quantity(Decimal(wh), "Wh") for which, wh in read if which in wanted}

    async def read_profile(self, since, span=None):
        if since and since.scheme != SCHEME:
            raise CursorLost
        oldest, newest = await self.numbers(b"o")
        if span:  # slots that end after its first and not after its second reading
            oldest = max(oldest, (span[0].face - START) // HALF_HOUR)
            newest = min(newest, (span[1].face - START) // HALF_HOUR - 1)
        first = max(oldest, int(since.body) if since else oldest)
        counts = (await self.numbers(b"p", first, 2))[: max(0, newest + 1 - first)]
        after = first + len(counts)
        return ProfilePage(
            slots=tuple(
                Slot(ends(first + at), 30, (count, None, None, None))
                for at, count in enumerate(counts)
            ),
            milliwatt_hours_per_count=Fraction(1000),
            next=Cursor(SCHEME, str(after)),
            more=bool(counts) and after <= newest,
        )


# -- the virtual meter: computed from its address and the time, 40 days kept ---------------------

KEPT = 40 * 48


def count(address, number):
    """Wh of a half-hour: a day's curve, another for each address."""
    return 100 + address + 7 * (number % 48)


def total(address, number):
    """Wh of all half-hours before this one."""
    days, rest = divmod(number, 48)
    return days * sum(count(address, at) for at in range(48)) + sum(
        count(address, at) for at in range(rest)
    )


class ToySimulator:
    def __init__(self, settings):
        self.addresses = range(settings.address, settings.address + settings.meters)
        self.waiting = b""

    def receive(self, data, now):
        self.waiting += data
        answers = []
        while len(self.waiting) >= 7:
            request, self.waiting = self.waiting[:7], self.waiting[7:]
            if seal(request[:-1]) == request and request[0] in self.addresses:
                body = self.answer(
                    request[0], request[1:2], int.from_bytes(request[2:6], "big"), now
                )
                answers.append((0.001, seal(request[:2] + bytes([len(body)]) + body)))
        return answers

    def answer(self, address, letter, argument, now):
        face = now.astimezone(timezone(timedelta(hours=3))).replace(tzinfo=None)
        running = (face - START) // HALF_HOUR
        longs = {
            b"t": [int((face - START).total_seconds())],
            b"e": [total(address, running), total(address, running - running % 48)],
            b"o": [max(0, running - KEPT), running - 1],
        }
        if letter in longs:
            return b"".join(number.to_bytes(4, "big") for number in longs[letter])
        if letter == b"p":
            kept = range(max(argument, running - KEPT, 0), min(argument + 48, running))
            return b"".join(count(address, number).to_bytes(2, "big") for number in kept)
        return f"T{address:06d}".encode("ascii")


@hookimpl
def hub_plugin():
    return PluginCard(id="toymeter", title="Toy meters", requires_api=(1, 0))


@hookimpl
def hub_meter_drivers():
    return [
        DriverSpec(
            id="toymeter",
            title="Toy meter",
            models=("Toy 1",),
            settings=ToySettings,
            driver=ToyDriver,
            build=ToyDriver,
            may=frozenset({Can.CLOCK, Can.REGISTERS, Can.PROFILE}),
            timing=lambda baud: Timing(0.5, 0.01, 1.0),
            is_mutating=lambda request: False,
            simulator=ToySimulator,
        )
    ]
