"""Files that people send: what they are, told by their content, and how they are called."""

import re
import unicodedata

LARGEST_FILE = 10 * 1024 * 1024
MOST_FILES = 5  # of one message
UNKNOWN = "application/octet-stream"
LONGEST_NAME = 100
ENDINGS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
}
# Windows and the shells give these a meaning of their own.
SPECIAL = re.compile(r'[<>:"|?*&;$`\x00-\x1f]')


def kind_of(content: bytes) -> str:
    """Tell the media type by the first bytes; UNKNOWN for what is none of the four that we take."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return "application/pdf" if content.startswith(b"%PDF-") else UNKNOWN


def clean_name(name: str, media_type: str) -> str:
    """Make a name that is safe to show and to save under, with the ending of its kind.

    Folders, invisible characters and those that turn the direction of writing are left out.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    seen = "".join(char for char in last if unicodedata.category(char)[0] != "C")
    plain = " ".join(SPECIAL.sub(" ", seen).split()).strip(". ")
    endings = ENDINGS.get(media_type)
    stem, dot, ending = plain.rpartition(".")
    if endings is None:
        return plain[:LONGEST_NAME] or "file"
    if dot and f".{ending.lower()}" in endings:
        return f"{(stem.strip() or 'file')[:LONGEST_NAME]}.{ending.lower()}"
    return f"{(plain or 'file')[:LONGEST_NAME]}{endings[0]}"
