"""The other protocol: what a meter with the letter D says to a link request of DLMS over HDLC.

Only the link is modelled (SNRM, DISC), enough to tell that somebody is there who speaks HDLC and
nothing else: ISO/IEC 13239 frames of type 3, as IEC 62056-46 uses them.
"""

FLAG = 0x7E
_SNRM, _DISC, _UA, _DM = 0x93, 0x53, 0x73, 0x1F
_TYPE_3 = 0xA0
_SERVER_BYTES = (1, 2, 4)
_CHECK_BYTES = 2
_SHORTEST = 7


def answer(heard: bytes, address: int) -> bytes | None:
    """Answer a frame that is for the server at ``address``; None for anything else."""
    flag = bytes((FLAG,))
    inside = heard[1:-1]
    if heard[:1] != flag or heard[-1:] != flag or len(inside) < _SHORTEST:
        return None
    length = (inside[0] & 0x07) << 8 | inside[1]
    body, check = inside[:-_CHECK_BYTES], inside[-_CHECK_BYTES:]
    if inside[0] & 0xF0 != _TYPE_3 or length != len(inside) or check != _fcs(body):
        return None
    server, rest = _address(inside[2:])
    client, rest = _address(rest)
    if not server or not client or not rest or _named(server) not in {address, address + 16}:
        return None
    control = _UA if rest[0] in {_SNRM, _DISC} else _DM
    head = client + server + bytes((control,))
    head = bytes((_TYPE_3, 2 + len(head) + _CHECK_BYTES)) + head
    return flag + head + _fcs(head) + flag


def _address(data: bytes) -> tuple[bytes, bytes]:
    """Cut an address off: bytes up to the first one with its lowest bit set."""
    for end, byte in enumerate(data, 1):
        if byte & 1:
            return (data[:end], data[end:]) if end in _SERVER_BYTES else (b"", b"")
    return b"", b""


def _named(server: bytes) -> int:
    """Return the physical address: the lower half of the bytes, seven bits each."""
    value = 0
    for byte in server[len(server) // 2 :]:
        value = value << 7 | byte >> 1
    return value


def _fcs(data: bytes) -> bytes:
    """Return the checksum of HDLC, CRC-16/X-25, low byte first."""
    check = 0xFFFF
    for byte in data:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ (0x8408 if check & 1 else 0)
    return (check ^ 0xFFFF).to_bytes(2, "little")
