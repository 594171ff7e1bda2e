"""The smallest whole driver: a hub plugin for toy meters, which count one watt-hour at a time.

    request   address, letter, argument (4 bytes, high first), sum of the bytes before
    answer    address, letter, length, that many bytes, sum of the bytes before

Letters: 'i' serial number, 't' seconds since 2020 on the meter's face, 'e' energy in Wh (now; at
the day's start), 'o' oldest and newest half-hour kept, 'p' up to 48 half-hours from the argument
on. Half-hours are numbered from 2020-01-01T00:00 on the face.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from toymeter_virtual import VirtualToys

from hub.plugins import api

START, HALF_HOUR, SCHEME = datetime(2020, 1, 1), timedelta(minutes=30), "toymeter/1"
REGISTERS = (api.Register("1.8.0"), api.Register("1.8.0", "at:day:0"))
MAY = frozenset({api.Can.CLOCK, api.Can.REGISTERS, api.Can.PROFILE})


class ToySettings(api.PluginSettings):
    address: int = api.setting(1, ge=1, le=200, label="meter.address")


def whole(data):
    """Recognise an answer: of its own length, with the right sum."""
    size = data[2] + 4 if len(data) > 2 else 0
    fits = 0 < size <= len(data) and sum(data[: size - 1]) % 256 == data[size - 1]
    return api.Verdict(size) if fits else api.NEED_MORE


class ToyDriver:
    def __init__(self, settings, learned):
        self.address = settings.address

    async def command(self, letter, argument=0):
        request = bytes([self.address, ord(letter)]) + argument.to_bytes(4, "big")
        reply = await api.ask(request + bytes([sum(request) % 256]), whole)
        if reply.frame[:2] != request[:2]:
            raise api.WrongDevice("This is no toy meter; check the address and the driver.")
        return reply

    async def numbers(self, letter, argument=0, size=4):
        body = (await self.command(letter, argument)).frame[3:-1]
        return [int.from_bytes(body[at : at + size], "big") for at in range(0, len(body), size)]

    async def open(self, level):
        await self.command("i")

    async def close(self):
        return None

    def learned(self):
        return {}

    def can(self, identity):
        return MAY

    async def identify(self):
        serial = (await self.command("i")).frame[3:-1].decode("ascii")
        return api.Identity(maker="Toys", model="Toy 1", serial=serial, phases=1, imp_per_kwh=1000)

    async def read_clock(self):
        reply = await self.command("t")
        face = START + timedelta(seconds=int.from_bytes(reply.frame[3:-1], "big"))
        return api.ClockReading(api.MeterTime(face), reply.sent_at, reply.received_at)

    def registers(self):
        return frozenset(REGISTERS)

    async def read_registers(self, wanted):
        read = zip(REGISTERS, await self.numbers("e"), strict=True)
        return {which: api.Quantity(Decimal(wh), "Wh") for which, wh in read if which in wanted}

    async def read_profile(self, since, span=None):
        if since and since.scheme != SCHEME:
            raise api.CursorLost
        first, newest = await self.numbers("o")
        if span:  # what ends after its first and not after its second reading of the face
            first = max(first, (span[0].face - START) // HALF_HOUR)
            newest = min(newest, (span[1].face - START) // HALF_HOUR - 1)
        first = max(first, int(since.body)) if since else first
        counts = (await self.numbers("p", first, size=2))[: max(0, newest + 1 - first)]
        ends = [api.MeterTime(START + (first + at + 1) * HALF_HOUR) for at in range(len(counts))]
        return api.ProfilePage(
            slots=tuple(
                api.Slot(end, 30, (count, None, None, None))
                for end, count in zip(ends, counts, strict=True)
            ),
            milliwatt_hours_per_count=Fraction(1000),
            next=api.Cursor(SCHEME, str(first + len(counts))),
            more=bool(counts) and first + len(counts) <= newest,
        )


@api.hookimpl
def hub_plugin():
    return api.PluginCard(id="toymeter", title="Toy meters", requires_api=(1, 0))


@api.hookimpl
def hub_meter_drivers():
    return [
        api.DriverSpec(
            id="toymeter",
            title="Toy meter",
            models=("Toy 1",),
            settings=ToySettings,
            driver=ToyDriver,
            build=ToyDriver,
            may=MAY,
            timing=lambda baud: api.Timing(first_byte_s=0.5, gap_s=0.01, late_reply_s=1.0),
            is_mutating=lambda request: False,
            simulator=VirtualToys,
        )
    ]
