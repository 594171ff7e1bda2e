"""How a proof says its figures: one line each, and kept in docs/proof/NAME.json."""

import json
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "docs" / "proof"
SCRATCH = ROOT / ".proof"  # what a long proof needs to go on after it was stopped


@dataclass(frozen=True, slots=True)
class Figure:
    """``figure`` and ``goal`` as people write them, with units; ``met`` None: no goal was set."""

    name: str
    figure: str
    goal: str = ""
    met: bool | None = None


def revision() -> str:
    """The commit the figures were taken at, with '+' if the tree had changes."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def keep(proof: str, figures: Iterable[Figure]) -> None:
    """Print each figure and write them all to docs/proof/NAME.json."""
    at = revision()
    rows = [asdict(figure) | {"revision": at} for figure in figures]
    for row in rows:
        mark = {True: "met", False: "MISSED", None: "-"}[row["met"]]
        print(f"{row['name']}: {row['figure']} (goal {row['goal'] or 'none'}, {mark}, {at})")
    KEPT.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rows, ensure_ascii=False, indent=1)
    (KEPT / f"{proof}.json").write_text(text + "\n", encoding="utf-8")
