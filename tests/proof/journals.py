"""A year of journals read by daily visits, with kills in between, is what the meter wrote.

Each case is one virtual meter that lives through the scenario ``village-line``: no book gets more
than nine entries a day. The reading process is killed just before or after commits chosen by luck
(and goes on from its database), until the year is over; then every stored event is compared with
the meter's own list. Around a silence the losses and their bounds are compared as well. Cases that
are done are kept under .proof/journals, so that a second start goes on.
"""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS)]

import journal_year  # noqa: E402
from journal_year import (  # noqa: E402
    CASES,
    Reading,
    differences,
    opened,
    silence_wanted,
    year_wanted,
)

from hub.store.secrets import new_key  # noqa: E402
from hub.store.unit import Store  # noqa: E402
from proof.figures import SCRATCH, Figure, keep  # noqa: E402

FOLDER = SCRATCH / "journals"
DAYS = 364
SEED = 20261124
COMMITS_A_LIFE = (20, 160)  # of a process, before it is killed


def fresh(database: Path, key: str) -> None:
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    store = Store.open(f"sqlite:///{database}", keys=[key])
    store.upgrade()
    store.close()


def lives(database: Path, key: str, case: str) -> int:
    """Read the year in processes that are killed; return how many were."""
    luck = random.Random(f"{SEED}/{case}")  # noqa: S311
    kills = 0
    while True:
        kill = [str(luck.randint(*COMMITS_A_LIFE)), luck.choice(("before", "after"))]
        code = subprocess.run(
            [sys.executable, journal_year.__file__, database, case, str(DAYS), *kill],
            env=os.environ | {"HUB_KEYS": key},
            check=False,
        ).returncode
        if code != -signal.SIGKILL:
            assert code == 0, f"the reading of '{case}' ended with {code}"
            return kills
        kills += 1


def read_year(case: str) -> dict[str, int]:
    """Read the year of a case and count what differs."""
    database, key = FOLDER / "year.sqlite", new_key()
    fresh(database, key)
    kills = lives(database, key, case)
    store, clock = opened(database, key)
    reading = Reading(CASES[case], store, clock)
    found = reading.stored()
    if CASES[case].silence:
        wanted, losses = silence_wanted(reading)
    else:
        wanted, losses = year_wanted(reading), []
    missing, wrong = differences(wanted, found)
    store.close()
    return {
        "events": len(wanted),
        "books": len({event.book for event in wanted}),
        "losses": len(losses),
        "kills": kills,
        "missing": missing,
        "wrong": wrong,
    }


def figures() -> Iterable[Figure]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "done.json"
    done: dict[str, dict[str, int]] = json.loads(path.read_text()) if path.exists() else {}
    for case in CASES:
        if case not in done:
            done[case] = read_year(case)
            path.write_text(json.dumps(done))
            print(f"  {case}: {done[case]}", flush=True)
        of = done[case]
        silent = bool(CASES[case].silence)
        lost = f", {of['losses']} losses with their bounds among them" if silent else ""
        yield Figure(
            name=f"journals, {case}",
            figure=f"{of['events']} events of {of['books']} books{lost}, {of['kills']} kills: "
            f"{of['missing']} missing, {of['wrong']} wrong or doubled",
            goal="0 missing, 0 wrong or doubled" + (", losses reported" if silent else ""),
            met=of["missing"] == of["wrong"] == 0
            and of["kills"] > 0
            and bool(of["losses"]) == silent,
        )
    path.unlink()


def main() -> int:
    found = list(figures())
    keep("journals", found)
    return int(any(figure.met is False for figure in found))


if __name__ == "__main__":
    sys.exit(main())
