"""The other protocol: enough of HDLC to find out that somebody speaks nothing else. No I/O.

Meters of the family with the letter D answer DLMS over HDLC instead of the maker's protocol if
their interface is set so. A request for a link (SNRM) shows them; it reads and changes nothing.
Frames of type 3 by ISO/IEC 13239, as IEC 62056-46 uses them.
"""

from hub.plugins.api import NEED_MORE, Verdict

FLAG = b"\x7e"
SNRM, DISC = 0x93, 0x53
TYPE_3 = 0xA0
PUBLIC_CLIENT = 16  # associates without a password
MANAGEMENT = 1  # the logical device that every meter has
ONE_BYTE_ADDRESSES = 0x80
SPODES_OFFSET = 16  # such a meter's address is the maker's one, or 16 above it


def link_request(address: int, control: int = SNRM) -> bytes:
    """Ask the device at ``address`` for a link, or end it."""
    wide = address >= ONE_BYTE_ADDRESSES
    server = _address(MANAGEMENT, wide=wide) + _address(address, wide=wide, last=True)
    tail = server + bytes((PUBLIC_CLIENT << 1 | 1, control))
    head = bytes((TYPE_3, 2 + len(tail) + 2)) + tail
    return FLAG + head + checksum(head) + FLAG


def is_link_request(request: bytes) -> bool:
    """Tell whether these are the bytes of a request for a link, or of its end, and no others."""
    size = len(request)
    if size not in {10, 12}:
        return False
    part = request[3 : size - 5]
    half = len(part) // 2
    address = (part[half] >> 1) if half == 1 else (part[half] >> 1) << 7 | part[half + 1] >> 1
    return any(request == link_request(address, control) for control in (SNRM, DISC))


def reply_rule(received: bytes) -> Verdict:
    """Recognise one whole frame."""
    start = received.find(FLAG)
    if start:
        return Verdict(skip=start if start > 0 else len(received))
    if len(received) < 3:
        return NEED_MORE
    if received[1:2] == FLAG:
        return Verdict(skip=1)
    length = 2 + ((received[1] & 0x07) << 8 | received[2])
    if len(received) < length:
        return NEED_MORE
    inside = received[1 : length - 1]
    whole = received[length - 1 : length] == FLAG and checksum(inside[:-2]) == inside[-2:]
    return Verdict(length=length) if whole else Verdict(skip=1)


def checksum(data: bytes) -> bytes:
    """Return CRC-16/X-25, low byte first."""
    check = 0xFFFF
    for byte in data:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ (0x8408 if check & 1 else 0)
    return (check ^ 0xFFFF).to_bytes(2, "little")


def _address(value: int, *, wide: bool, last: bool = False) -> bytes:
    """Lay out one half of a server's address: seven bits a byte, the lowest bit ends it."""
    end = 1 if last else 0
    low = (value & 0x7F) << 1 | end
    return bytes((value >> 7 << 1, low)) if wide else bytes((low,))
