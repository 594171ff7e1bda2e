"""Nothing is lost, doubled or changed when ``hub collect`` is killed, whenever that is.

Every run reads the same virtual meters from an empty database. One is never killed; the others
are killed just before and just after each of their commits, and a hundred times at random, and
are then finished by another process. All must store the same rows. What has been done is kept
under .proof/kills, so that a second start goes on.
"""

import json
import random
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "collector")]

from kills import Ground, ground  # noqa: E402

from proof.figures import SCRATCH, Figure, keep  # noqa: E402

FOLDER = SCRATCH / "kills"
DAYS = 14
RANDOM_KILLS = 100
KILLS_A_RUN = 4
SEED = 20261124
LONGEST_S = 4.0


class Done:
    """What earlier starts of this proof have done, by case: kills, and rows that differed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept = json.loads(path.read_text()) if path.exists() else {"now": "", "cases": {}}

    @property
    def now(self) -> datetime:
        if not self.kept["now"]:
            self.kept["now"] = datetime.now(UTC).replace(second=7, microsecond=0).isoformat()
            self.save()
        return datetime.fromisoformat(self.kept["now"])

    @property
    def cases(self) -> dict[str, list[int]]:
        return self.kept["cases"]

    def save(self) -> None:
        self.path.write_text(json.dumps(self.kept))

    def add(self, case: str, kills: int, differences: int) -> None:
        self.cases[case] = [kills, differences]
        self.save()
        print(f"  {case}: {kills} kills, {differences} rows differ", flush=True)


def differences(wanted: dict[str, list], found: dict[str, list]) -> int:
    """Count the rows of each table that only one of the two has."""
    count = 0
    for table, rows in wanted.items():
        left = [repr(row) for row in found[table]]
        for row in rows:
            if repr(row) in left:
                left.remove(repr(row))
            else:
                count += 1
        count += len(left)
    return count


def at_commits(place: Ground, wanted: dict[str, list], done: Done) -> None:
    """Kill before and after commit 1, 2, 3 … until a collector ends by itself."""
    for when in ("before", "after"):
        for number in range(1, 1000):
            case = f"{when} commit {number}"
            if case in done.cases:
                if not done.cases[case][0]:
                    break
                continue
            run = place.fresh("run")
            killed = run.killed_at_commit(number, when)
            run.finish()
            done.add(case, int(killed), differences(wanted, run.rows()))
            if not killed:
                break


def at_random(place: Ground, wanted: dict[str, list], done: Done) -> None:
    """Kill several times in a row at random moments, then finish."""
    luck = random.Random(SEED)  # noqa: S311
    kills, number = 0, 0
    while kills < RANDOM_KILLS:
        number += 1
        case = f"random {number}"
        moments = [luck.uniform(0.3, LONGEST_S) for _ in range(KILLS_A_RUN)]
        if case not in done.cases:
            run = place.fresh("run")
            killed = sum(run.killed_after(seconds) for seconds in moments)
            run.finish()
            done.add(case, killed, differences(wanted, run.rows()))
        kills += done.cases[case][0]


def figures() -> Iterable[Figure]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = Done(FOLDER / "done.json")
    with ground(FOLDER, days=DAYS, now=done.now) as place:
        calm = place.fresh("calm")
        calm.finish()
        wanted = calm.rows()
        at_commits(place, wanted, done)
        at_random(place, wanted, done)
    for name, goal in (("random", RANDOM_KILLS), ("before commit", 1), ("after commit", 1)):
        found = [result for case, result in done.cases.items() if case.startswith(name)]
        kills, wrong = (sum(column) for column in zip(*found, strict=True))
        yield Figure(
            name=f"kills {name}",
            figure=f"{kills} kills in {len(found)} runs, {wrong} rows lost, doubled or changed",
            goal=f"at least {goal} kills, 0 rows" if name == "random" else "each commit, 0 rows",
            met=wrong == 0 and kills >= goal,
        )
    stored = sum(len(rows) for rows in wanted.values())
    yield Figure(name="kills rows compared", figure=f"{stored} rows in each run")
    (FOLDER / "done.json").unlink()


def main() -> int:
    found = list(figures())
    keep("kills", found)
    return int(any(figure.met is False for figure in found))


if __name__ == "__main__":
    sys.exit(main())
