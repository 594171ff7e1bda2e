"""``make proof [NAME]``: run one proof, or all of them, in full size.

Each proof is a module beside this one with ``figures() -> Iterable[Figure]``; it is seeded, and a
long one keeps what it has done under .proof/ so that a second start goes on.
"""

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

NOT_PROOFS = {"__init__", "run", "figures", "installed", "utility", "parts"}


def names() -> list[str]:
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_PROOFS)


def main(wanted: list[str]) -> int:
    from proof.figures import keep  # noqa: PLC0415 -- after the path above is set

    unknown = set(wanted) - set(names())
    if unknown:
        print(f"No such proof: {', '.join(sorted(unknown))}. There are: {', '.join(names())}.")
        return 2
    missed = False
    for name in wanted or names():
        figures = list(importlib.import_module(f"proof.{name}").figures())
        keep(name, figures)
        missed |= any(figure.met is False for figure in figures)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
