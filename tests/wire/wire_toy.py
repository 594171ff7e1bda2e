"""A toy meter for the tests of the wire: its frames, its driver, its simulator.

Request ``addr code crc crc``; reply ``addr n x*n crc crc`` with ``x = code``; refusal
``addr status crc crc`` with a status of F0 and more. As on real meters, nothing in a reply
repeats the request, and its length is known by the asker only.
"""

from corefast.crc import is_sealed, seal
from hub.plugins.api import NEED_MORE, Timing, Verdict, ask

TIMING = Timing(first_byte_s=0.15, gap_s=0.005, late_reply_s=1.0)
HELLO, BYE, CHANGE = 0x01, 0x02, 0x30
CHANGES = "change"  # the act that CHANGE is part of


def request(address, code):
    return seal(bytes([address, code]))


def answer(address, code):
    return seal(bytes([address, 4 + code % 8, *([code] * (4 + code % 8))]))


def refusal(address, status=0xF5):
    return seal(bytes([address, status]))


def rule(address, code):
    size = len(answer(address, code))

    def judge(data):
        if data[0] != address:
            return Verdict(skip=1)
        if len(data) >= size:
            return Verdict(size) if is_sealed(data[:size]) else Verdict(skip=1)
        if len(data) == 4 and is_sealed(data):
            return Verdict(4, sure=False)
        return NEED_MORE

    return judge


def is_mutating(frame):
    return frame[1] == CHANGE


def act(frame):
    return CHANGES if frame[1] == CHANGE else None


async def read(address, code, **more):
    reply = await ask(request(address, code), rule(address, code), **more)
    return reply.frame


class Channel:
    """Opens at the start, says goodbye at the end, whatever happens between."""

    def __init__(self, address):
        self.address = address

    async def __aenter__(self):
        await read(self.address, HELLO)

    async def __aexit__(self, *error):
        await read(self.address, BYE)


async def visit(address, codes):
    async with Channel(address):
        return [await read(address, code) for code in codes]


class Toy:
    """The virtual toy meters; ``delay`` before each answer."""

    def __init__(self, *addresses, delay=0.01):
        self.addresses = addresses
        self.delay = delay
        self.heard = []

    def receive(self, data, now):
        self.heard.append(data)
        if len(data) != 4 or not is_sealed(data) or data[0] not in self.addresses:
            return []
        return [(self.delay, answer(data[0], data[1]))]
