"""A million lies told to the driver: half drawn by hypothesis, half found by coverage.

Every answer that the driver gets comes from a virtual meter and is then changed, mostly with a
right check: see tests/plugins/mercury234/mercury_lies.py. A visit has every conversation that the
driver's spec declares. Only errors of ours may come out, every conversation ends in bounded steps,
and every value is one that a meter of the family can have. Each exchange is also explained, as
``hub wire decode`` does, which must not fail on any bytes. What has been done is kept under
.proof/fuzz, so that a second start goes on; what the coverage-guided half found worth trying again
stands in .proof/fuzz/corpus.

    python tests/proof/fuzz.py hypothesis|coverage LIES     # one half, as a child of the proof
"""

import json
import os
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "plugins" / "mercury234")]

from proof.figures import SCRATCH, Figure  # noqa: E402

FOLDER = SCRATCH / "fuzz"
HALVES = {"hypothesis": 500_000, "coverage": 500_000}
EXAMPLES = 200  # of hypothesis between two notes of what is done
RUNS_A_NOTE = 100  # of the coverage-guided fuzzer
LONGEST_RUN_S = 120  # of one visit
WORDS = {
    "hypothesis": "drawn by hypothesis",
    "coverage": "guided by coverage (atheris)",
}


@dataclass(slots=True)
class Done:
    """What a half has done so far, over all its starts."""

    path: Path
    lies: int = 0
    answers: int = 0
    visits: int = 0
    abandoned: int = 0
    rounds: int = 0
    rss_first_kb: int = 0
    rss_last_kb: int = 0
    ends: Counter[str] = field(default_factory=Counter)

    @classmethod
    def load(cls, half: str) -> "Done":
        path = FOLDER / f"{half}.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        ends = Counter(kept.pop("ends", {}))
        return cls(path, ends=ends, **kept)

    def save(self) -> None:
        names = [name for name in self.__slots__ if name != "path"]
        self.rss_last_kb = rss_kb()
        text = json.dumps({name: getattr(self, name) for name in names})
        half_written = self.path.with_suffix(".part")
        half_written.write_text(text)
        half_written.replace(self.path)


def rss_kb() -> int:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def make_visit(done: Done, personality: int, turn: int, program: Iterable[object]) -> None:
    """Have one visit to a liar and count how its conversations ended."""
    import mercury_lies as kit  # noqa: PLC0415 -- instrumented by the half that wants it so

    from hub.plugins.api import Level  # noqa: PLC0415
    from hub.plugins.mercury234.explain import explain  # noqa: PLC0415

    hints = {"firmware": kit.PERSONALITIES[personality]["firmware"], "constant": "1000"}

    class Explained(kit.Liar):
        def __call__(self, request: bytes, now: datetime) -> bytes:
            answer: bytes = super().__call__(request, now)
            explain(request, answer, hints)
            return answer

    told = kit.Told()
    wire = kit.Wire(Explained(personality, program, told), chunk=(300, 1, 7)[turn % 3])
    visit = kit.Visit(wire)
    visit(turn, Level.CONFIGURE if turn % 2 else Level.READ)
    done.visits += 1
    done.lies += told.changed
    done.answers += told.answers
    done.abandoned += wire.abandoned
    done.ends.update(visit.kinds)


def by_hypothesis(goal: int) -> None:
    """Draw programs until so many lies were told."""
    import mercury_lies as kit  # noqa: PLC0415
    from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: PLC0415
    from hypothesis import strategies as st  # noqa: PLC0415

    done = Done.load("hypothesis")
    while done.lies < goal:

        @seed(done.rounds)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            program=kit.programs,
            personality=st.integers(0, len(kit.PERSONALITIES) - 1),
            turn=st.integers(0, 59),
        )
        def visits(program: list[object], personality: int, turn: int) -> None:
            make_visit(done, personality, turn, cycle(program))

        visits()
        done.rounds += 1
        done.rss_first_kb = done.rss_first_kb or rss_kb()
        done.save()


def by_coverage(goal: int) -> None:
    """Let atheris look for bytes that reach new code, until so many lies were told."""
    import atheris  # noqa: PLC0415 -- there are wheels for Linux on x86-64 only

    package = "hub.plugins.mercury234"
    meter = TESTS.parent.joinpath(*package.split("."), "simulator")
    others = [f"{package}.simulator.{path.stem}" for path in meter.glob("*.py")]
    with atheris.instrument_imports(include=[package], exclude=others):
        import mercury_lies as kit  # noqa: PLC0415

        import hub.plugins.mercury234.explain  # noqa: F401, PLC0415

    done = Done.load("coverage")

    def one(stream: bytes) -> None:
        head = stream[0] if stream else 0
        make_visit(
            done, head % len(kit.PERSONALITIES), head // 4, cycle(list(kit.lies(stream[1:])))
        )
        if done.visits % RUNS_A_NOTE == 0:
            done.rss_first_kb = done.rss_first_kb or rss_kb()
            done.save()
            if done.lies >= goal:
                os._exit(0)  # libFuzzer knows no other way to end early

    corpus = FOLDER / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    seeds(corpus)
    atheris.Setup(
        [
            sys.argv[0],
            str(corpus),
            f"-artifact_prefix={FOLDER}/",
            f"-timeout={LONGEST_RUN_S}",
            "-max_len=600",
            "-seed=20261124",
            "-verbosity=0",
        ],
        one,
    )
    atheris.Fuzz()


def seeds(corpus: Path) -> None:
    """Give the fuzzer a few programs of each kind of lie to begin with."""
    for kind in range(15):
        for skip in (0, 3, 9, 15):
            lie = bytes((skip << 4 | kind, 8, 0x40, 4, 0x00, 0x17, 0x26, 0x11))
            (corpus / f"seed-{kind:02d}-{skip:02d}").write_bytes(bytes((kind * 4,)) + lie * 20)


def figures() -> Iterator[Figure]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for half, goal in HALVES.items():
        child = [sys.executable, __file__, half, str(goal)]
        ended = subprocess.run(child, check=False)
        done = Done.load(half)
        how = WORDS[half]
        yield Figure(
            f"lies told to the driver, {how}",
            f"{done.lies:,} changed answers of {done.answers:,} in {done.visits:,} visits, "
            + ("all ended well" if ended.returncode == 0 else f"FAILED ({ended.returncode})"),
            f"{goal:,}; only typed errors, no hang, no value out of domain",
            ended.returncode == 0 and done.lies >= goal,
        )
        ends = ", ".join(f"{kind} {count:,}" for kind, count in done.ends.most_common())
        yield Figure(f"how conversations ended, {how}", f"{ends}; abandoned {done.abandoned:,}")
        yield Figure(
            f"memory, {how}",
            f"{done.rss_first_kb / 1024:.0f} MB after the first round, "
            f"{done.rss_last_kb / 1024:.0f} MB at the end",
        )
        if ended.returncode == 0:
            done.path.unlink()


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    {"hypothesis": by_hypothesis, "coverage": by_coverage}[sys.argv[1]](int(sys.argv[2]))
