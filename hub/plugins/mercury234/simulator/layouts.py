"""How the meter lays values out in bytes, from the protocol paper alone.

Frames leave as ``address data CRC``; what is made here is the data.
"""

from datetime import datetime

MASKED = 0xFFFFFFFF
MASKED_WORD = 0xFFFF


def bcd(value: int) -> int:
    """Two decimal digits in one byte."""
    return value // 10 << 4 | value % 10


def clock(face: datetime, *, winter: bool) -> bytes:
    """``ss mm hh dow dd mm yy season``, Monday is 1, winter is 1."""
    fields = (face.second, face.minute, face.hour, face.isoweekday(),
              face.day, face.month, face.year % 100, int(winter))  # fmt: skip
    return bytes(map(bcd, fields))


def stamp(face: datetime) -> bytes:
    """``hh mm dd mm yy`` of a profile record."""
    fields = (face.hour, face.minute, face.day, face.month, face.year % 100)
    return bytes(map(bcd, fields))


def moment(face: datetime | None) -> bytes:
    """``ss mm hh dd mm yy`` of a journal; zeros where nothing has happened yet."""
    if face is None:
        return bytes(6)
    fields = (face.second, face.minute, face.hour, face.day, face.month, face.year % 100)
    return bytes(map(bcd, fields))


def order_2143(value: int) -> bytes:
    """Four bytes: the high word first, in each word the low byte first."""
    high, low = value >> 16 & 0xFFFF, value & 0xFFFF
    return high.to_bytes(2, "little") + low.to_bytes(2, "little")


def order_132(value: int) -> bytes:
    """Three bytes: the highest first, then the lowest, then the middle."""
    return bytes((value >> 16 & 0xFF, value & 0xFF, value >> 8 & 0xFF))


def energies(values: tuple[int | None, ...]) -> bytes:
    """Lay out registers in Wh or varh; what is not metered goes out as all ones."""
    return b"".join(order_2143(MASKED if v is None else v & 0xFFFFFFFF) for v in values)


def nominal_cv(constant: int) -> int:
    """Return the nominal voltage of a meter of this constant, 0.01 V."""
    return 5_770 if constant in {5000, 25000} else 23_000


def decimal_pairs(digits: str) -> bytes:
    """Lay out a serial: each byte is a plain number 0..99."""
    return bytes(int(digits[i : i + 2]) for i in range(0, len(digits), 2))


#: Each byte of the status word shows eight errors, E-nn up from the lowest bit.
_ERRORS_FROM = (33, 41, 17, 25, 1, 9)


def status_word(errors: frozenset[int]) -> bytes:
    """Lay out E-codes as the six bytes of the status word."""
    return bytes(
        sum(1 << bit for bit in range(8) if first + bit in errors) for first in _ERRORS_FROM
    )


def from_bcd(byte: int) -> int | None:
    """Return the number in one byte, None if it is not two decimal digits."""
    high, low = divmod(byte, 16)
    return high * 10 + low if high < 10 and low < 10 else None
