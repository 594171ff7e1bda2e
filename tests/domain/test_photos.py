"""What is left of a picture: every pixel and how it is turned, and nothing of who took it where."""

import struct
import zlib

import pytest

from hub.domain.photos import plain

SECRET = b"54.9884 N 82.9006 E, camera 0042"
DATA = b"\x11\xff\x00\x22\xff\xd3\x33"  # an escaped 0xFF and a restart


def exif(turn: int, order: str = "<") -> bytes:
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8)
    entries = struct.pack(order + "HHIHH", 0x0112, 3, 1, turn, 0) + struct.pack(
        order + "HHII", 0x8825, 4, 1, 64
    )
    return head + struct.pack(order + "H", 2) + entries + struct.pack(order + "I", 0) + SECRET


def block(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


JFIF = block(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
COLOURS = block(0xE2, b"ICC_PROFILE\0\1\1 colours")
TABLE = block(0xDB, b"\0" * 65)
SCANS = block(0xDA, b"\1\1\0\0?\0") + DATA + block(0xC4, b"more") + block(0xDA, b"\1\1\0") + DATA
END = b"\xff\xd9"
TURNED_6 = b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"


def jpeg(*written: bytes, behind: bytes = b"") -> bytes:
    return b"\xff\xd8" + JFIF + b"".join(written) + COLOURS + TABLE + SCANS + END + behind


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_jpeg_keeps_its_picture_and_its_turn_alone(order):
    photo = jpeg(
        block(0xE1, b"Exif\0\0" + exif(6, order)),
        block(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET),
        block(0xED, b"Photoshop 3.0\0" + SECRET),
        block(0xE2, b"MPF\0" + SECRET),
        block(0xFE, SECRET),
        behind=b"a film: " + SECRET,
    )
    left = plain(photo, "image/jpeg")
    assert SECRET not in left
    turned = block(0xE1, TURNED_6)
    assert left == b"\xff\xd8" + turned + JFIF + COLOURS + TABLE + SCANS + END
    assert plain(left, "image/jpeg") == left


def test_a_jpeg_that_stands_upright_needs_no_word_of_it():
    assert plain(jpeg(block(0xE1, b"Exif\0\0" + exif(1))), "image/jpeg") == jpeg()


@pytest.mark.parametrize("cut", [3, 30, 60, 140])
def test_of_a_torn_jpeg_nothing_that_shows_is_lost(cut):
    torn = jpeg()[:cut]
    assert plain(torn, "image/jpeg") == torn


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_a_png_keeps_what_shows():
    head, size = b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", b"\0" * 13)
    shows = chunk(b"gAMA", b"\0\0\xb1\x8f") + chunk(b"IDAT", b"pixels")
    end = chunk(b"IEND", b"")
    photo = (
        head + size + chunk(b"tEXt", b"Comment\0" + SECRET) + chunk(b"iTXt", SECRET)
        + chunk(b"eXIf", exif(3)) + chunk(b"zzZz", SECRET) + shows + end + SECRET
    )  # fmt: skip
    left = plain(photo, "image/png")
    turned = chunk(b"eXIf", TURNED_6[6:].replace(b"\0\6", b"\0\3"))
    assert left == head + size + turned + shows + end
    assert plain(head + size + b"torn", "image/png") == head + size + b"torn"


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        name + struct.pack("<I", len(each)) + each + b"\0" * (len(each) % 2)
        for name, each in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def test_a_webp_keeps_its_picture_and_says_so_in_its_head():
    size = b"\0" * 9
    photo = riff(
        (b"VP8X", b"\x1c" + size), (b"VP8 ", b"pixels!"), (b"EXIF", exif(8)), (b"XMP ", SECRET)
    )
    turned = TURNED_6[6:].replace(b"\0\6", b"\0\x08")
    assert plain(photo, "image/webp") == riff(
        (b"VP8X", b"\x18" + size), (b"VP8 ", b"pixels!"), (b"EXIF", turned)
    )
    upright = riff((b"VP8X", b"\x1c" + size), (b"VP8 ", b"pixels!"), (b"EXIF", exif(1)))
    assert plain(upright, "image/webp") == riff((b"VP8X", b"\x10" + size), (b"VP8 ", b"pixels!"))


def test_a_paper_stays_as_it_is():
    assert plain(b"%PDF-1.7 " + SECRET, "application/pdf") == b"%PDF-1.7 " + SECRET
