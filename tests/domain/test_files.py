"""What a file is and how it is called."""

import pytest

from hub.domain.files import LONGEST_NAME, UNKNOWN, clean_name, kind_of


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe1Exif", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"%PDF-1.4", "application/pdf"),
        (b"RIFF\x10\0\0\0WAVEfmt ", UNKNOWN),
        (b"<svg onload=alert(1)>", UNKNOWN),
        (b"GIF89a", UNKNOWN),
        (b"PK\x03\x04", UNKNOWN),
        (b" %PDF-1.4", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_the_content_tells_the_kind(content, kind):
    assert kind_of(content) == kind


@pytest.mark.parametrize(
    ("name", "kind", "clean"),
    [
        ("щиток.JPG", "image/jpeg", "щиток.jpg"),
        ("scan.jpeg", "image/jpeg", "scan.jpeg"),
        ("photo.html", "image/png", "photo.html.png"),
        ("C:\\Users\\anna\\акт.pdf", "application/pdf", "акт.pdf"),
        ("../../etc/passwd", "application/pdf", "passwd.pdf"),
        ("a\u202egpj.exe", "image/jpeg", "agpj.exe.jpg"),
        ("a\r\nSet-Cookie: b.pdf", "application/pdf", "aSet-Cookie b.pdf"),
        ("", "image/webp", "file.webp"),
        (".pdf", "application/pdf", "pdf.pdf"),
        ("..", UNKNOWN, "file"),
        ("и\u0306од.png", "image/png", "\u0439од.png"),
    ],
)
def test_names_are_safe_to_show_and_to_save_under(name, kind, clean):
    assert clean_name(name, kind) == clean


def test_long_names_are_cut_before_their_ending():
    assert clean_name("x" * 300 + ".pdf", "application/pdf") == "x" * LONGEST_NAME + ".pdf"
