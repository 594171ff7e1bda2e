"""Pictures without what was written beside the picture: the place, the time, the camera's number.

Only whole blocks are left out, so not one pixel changes. How the picture is to be turned stays.
What can't be read as the format says goes on as it is, from there to the end.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

EXIF: Final = b"Exif\0\0"
ORIENTATION: Final = 0x0112
UPRIGHT, TURNS = 1, range(1, 9)
IFD: Final = struct.Struct(">2sHIHHHIHHI")  # one entry, as a camera with big ends writes it

START, END, SCAN = 0xD8, 0xD9, 0xDA
LONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
APPLICATION = range(0xE0, 0xF0)
COMMENT = 0xFE
KEPT_BLOCKS: Final = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}

# Of what is not needed to show a PNG only this: colours, sizes, movement.
PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
KEPT_CHUNKS: Final = frozenset(
    b"tRNS gAMA cHRM sRGB iCCP sBIT bKGD pHYs hIST sPLT cICP mDCV cLLI acTL fcTL fdAT".split()
)
ANCILLARY = 0x20  # of a chunk's first letter

HAS_EXIF, HAS_XMP = 0x08, 0x04  # flags of a WebP's head


def plain(content: bytes, media_type: str) -> bytes:
    """Leave out what a camera or an editor wrote into a picture; any other file is given back."""
    strip = _STRIP.get(media_type)
    return content if strip is None else strip(content)


def _jpeg(content: bytes) -> bytes:
    kept, at, turn = [content[:2]], 2, UPRIGHT
    while at + 4 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004 - every marker's first
        marker = content[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - filling before a marker
            at += 1
            continue
        if marker in LONE:
            kept.append(content[at : at + 2])
            at += 2
            continue
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == END or end > len(content):
            break
        body = content[at + 4 : end]
        if marker == 0xE1 and body.startswith(EXIF):  # noqa: PLR2004 - the block of a camera
            turn = _turn_of(body[len(EXIF) :])
        if marker == SCAN:
            end = _after_scan(content, end)
        if _belongs(marker, body):
            kept.append(content[at:end])
        at = end
    done = content[at : at + 2] == bytes((0xFF, END))
    rest = content[at : at + 2] if done else content[at:]  # phones put a film behind the picture
    if turn != UPRIGHT:
        block = EXIF + _turned(turn)
        kept.insert(1, b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block)
    return b"".join((*kept, rest))


def _belongs(marker: int, body: bytes) -> bool:
    if marker in APPLICATION:
        return marker in KEPT_BLOCKS and body.startswith(KEPT_BLOCKS[marker])
    return marker != COMMENT


def _after_scan(content: bytes, at: int) -> int:
    """Find the marker behind a scan's data: in them 0xFF comes before a zero or a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            return len(content)
        following = content[at + 1]
        if following and following not in LONE:
            return at
        at += 2


def _png(content: bytes) -> bytes:
    kept, at, turn = [PNG_HEAD], len(PNG_HEAD), UPRIGHT
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        name, body = content[at + 4 : at + 8], content[at + 8 : end - 4]
        if end > len(content):
            break
        if name == b"eXIf":
            turn = _turn_of(body)
        if not name[0] & ANCILLARY or name in KEPT_CHUNKS:
            kept.append(content[at:end])
        at = end
        if name == b"IEND":
            at = len(content)
    if turn != UPRIGHT:
        body = b"eXIf" + _turned(turn)
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        kept.insert(2, chunk)  # behind the head that comes first
    return b"".join((*kept, content[at:]))


def _webp(content: bytes) -> bytes:
    chunks = list(_riff(content))
    turn = next((_turn_of(_bare(body)) for name, body in chunks if name == b"EXIF"), UPRIGHT)
    if sum(8 + len(body) + len(body) % 2 for _name, body in chunks) + 12 < len(content) - 1:
        return content  # not to be read to its end
    kept = []
    for name, body in chunks:
        if name == b"VP8X" and body:
            flags = body[0] & ~(HAS_EXIF | HAS_XMP) | (HAS_EXIF if turn != UPRIGHT else 0)
            kept.append((name, bytes((flags,)) + body[1:]))
        elif name not in {b"EXIF", b"XMP "}:
            kept.append((name, body))
    if turn != UPRIGHT:
        kept.append((b"EXIF", _turned(turn)))
    whole = b"".join(
        name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) for name, body in kept
    )
    return b"RIFF" + struct.pack("<I", len(whole) + 4) + b"WEBP" + whole


def _riff(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, end = 12, min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    while at + 8 <= end:
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if at + 8 + size > end:
            return
        yield content[at : at + 4], content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _bare(body: bytes) -> bytes:
    return body.removeprefix(EXIF)  # some write it as in a JPEG


def _turn_of(tiff: bytes) -> int:
    """Read how a picture is to be turned, 1 to 8; 1, as it stands, where that is not told."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return UPRIGHT
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, at)
        for entry in range(count):
            tag, _kind, _count, turn = struct.unpack_from(order + "HHIH", tiff, at + 2 + entry * 12)
            if tag == ORIENTATION:
                return turn if turn in TURNS else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT


def _turned(turn: int) -> bytes:
    """Write the one fact that stays."""
    return IFD.pack(b"MM", 42, 8, 1, ORIENTATION, 3, 1, turn, 0, 0)


_STRIP: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
}
