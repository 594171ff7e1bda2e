"""Bytes and frames: addresses, checks, byte orders, and how a reply is recognised.

A request is ``address code [parameters] crc``, a reply ``address data crc``: nothing in a reply
says what it answers or how long it is, so every rule is made for the length that the request
calls for. Errors of reads are frames of four bytes.
"""

from datetime import datetime
from functools import lru_cache

from corefast.crc import is_sealed, seal
from hub.plugins.api import NEED_MORE, FrameRule, Verdict

STATUS_FRAME = 4  # address, status, two bytes of CRC
OVERHEAD = 3  # address and CRC around the data of a reply

STATUS_TEXTS = (
    "ok",
    "bad command/parameter",
    "internal error",
    "access level too low",
    "clock already corrected today",
    "channel not open",
)
OK, BAD_COMMAND, INTERNAL_ERROR, LEVEL_TOO_LOW, CLOCK_CORRECTED, CHANNEL_NOT_OPEN = range(6)


def request(address: int, body: bytes) -> bytes:
    """Return the whole frame for the meter at ``address``."""
    return seal(bytes((address,)) + body)


@lru_cache(maxsize=512)
def reply_rule(address: int, *sizes: int, firm: bool = False) -> FrameRule:
    """Recognise a reply with one of these numbers of data bytes, or a status frame.

    The longest one that checks is whole and sure. A shorter one (and a status, where data are
    due) is whole only if the line then stays quiet: the beginning of a longer frame may check by
    chance. With ``firm`` every listed size is sure. Bytes before a frame are skipped when they
    can't begin one.
    """
    lengths = sorted((size + OVERHEAD for size in sizes), reverse=True)
    longest = lengths[0]
    unsure = [n for n in lengths[1:] if not firm] + [STATUS_FRAME]
    sure = [n for n in lengths if n not in unsure or n == longest]
    whole = Verdict(length=longest)

    def rule(received: bytes) -> Verdict:
        if len(received) == longest and received[0] == address and is_sealed(received):
            return whole  # as nearly all are
        start = received.find(address)
        if start:
            return Verdict(skip=start if start > 0 else len(received))
        for length in sure:
            if len(received) >= length and is_sealed(received[:length]):
                return Verdict(length=length)
        for length in unsure:
            if len(received) == length and is_sealed(received):
                return Verdict(length=length, sure=False)
        if len(received) < longest:
            return NEED_MORE
        # as long as the answer can be, and no answer: it may begin further on
        follows = received.find(address, 1)
        return Verdict(skip=follows if follows > 0 else len(received))

    return rule


def data_of(frame: bytes) -> bytes:
    """Return what stands between the address and the CRC."""
    return frame[1:-2]


def status_of(frame: bytes) -> int:
    """Return the low half of the status byte; the high half means nothing."""
    return frame[1] & 0x0F


def status_text(status: int) -> str:
    """Return the words for a status, 0 to 15."""
    return STATUS_TEXTS[status] if status < len(STATUS_TEXTS) else f"unknown status {status}"


def from_bcd(byte: int) -> int:
    """Return 0 to 99; ValueError for a half above nine."""
    tens, ones = byte >> 4, byte & 0x0F
    if tens > 9 or ones > 9:
        raise ValueError(f"{byte:02X} is not two decimal digits")
    return tens * 10 + ones


def face_from_bcd(
    day: int, month: int, year: int, *, hour: int, minute: int, second: int = 0
) -> datetime:
    """Return the face from BCD bytes; ValueError if there is no such instant. Years are 20yy."""
    return datetime(  # noqa: DTZ001 - a meter's face has no zone
        2000 + from_bcd(year),
        from_bcd(month),
        from_bcd(day),
        from_bcd(hour),
        from_bcd(minute),
        from_bcd(second),
    )


def word_2143(wire: bytes) -> int:
    """Return four bytes sent in the order 2-1-4-3, the first column being the highest."""
    return wire[1] << 24 | wire[0] << 16 | wire[3] << 8 | wire[2]


def word_132(wire: bytes) -> int:
    """Return three bytes sent in the order 1-3-2."""
    return wire[0] << 16 | wire[2] << 8 | wire[1]


def spaced(data: bytes) -> str:
    """Return bytes as they are written in every table: ``0A 10 FF``."""
    return data.hex(" ").upper()
