"""The text on the processing of personal data, which whoever registers agrees to.

A text is a folder with ``ru.txt`` and ``en.txt``: headings begin with ``# ``, paragraphs are parted
by empty lines. Its version is a fingerprint of both languages, so no changed text keeps the version
of the one that somebody agreed to.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("ru", "en")
BUILT_IN = Path(__file__).parent / "templates" / "processing"
VERSION_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    heading: bool = False


@dataclass(frozen=True, slots=True)
class ProcessingText:
    """What is agreed to; ``parts`` by language."""

    version: str
    parts: dict[str, tuple[Paragraph, ...]]


def read_text(folder: Path | None = None) -> ProcessingText:
    """Read the text of a folder, or the built-in one."""
    where = folder or BUILT_IN
    texts = {code: (where / f"{code}.txt").read_text(encoding="utf-8") for code in LANGUAGES}
    print_of = hashlib.sha256("\0".join(texts[code] for code in LANGUAGES).encode())
    return ProcessingText(
        print_of.hexdigest()[:VERSION_LENGTH],
        {code: tuple(_parts(text)) for code, text in texts.items()},
    )


def _parts(text: str) -> list[Paragraph]:
    found: list[Paragraph] = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        while lines and lines[0].startswith("# "):
            found.append(Paragraph(lines.pop(0)[2:], heading=True))
        if lines:
            found.append(Paragraph(" ".join(lines)))
    return found
