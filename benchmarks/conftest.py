"""What all benchmarks share: only the installed wheel is measured, and each figure is one line.

pytest-benchmark prints the times. Figures with a goal are ratios: of medians of rounds in which
the core and its peers take turns, because on a shared machine only what ran side by side compares.
Goals are printed, never asserted.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

import corefast

TREE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Figure:
    name: str
    figure: float
    unit: str
    goal: str
    met: bool | None

    def __str__(self) -> str:
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        return (
            f"{self.name:<58} {self.figure:>9.3g} {self.unit:<9} {self.goal:<9} {verdict}".rstrip()
        )


FIGURES = pytest.StashKey[list[Figure]]()
Tell = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--figures", metavar="FILE", help="write the figures to FILE as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []
    if Path(corefast.__file__).parent == TREE / "corefast":
        raise pytest.UsageError(
            "benchmarks measure the installed wheel, not the tree: run benchmarks/run.py"
        )


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Give a figure its line; a goal is `at_most` or `at_least` so much, or there is none."""

    def add(
        name: str,
        figure: float,
        unit: str,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> None:
        goal, met = "", None
        if at_most is not None:
            goal, met = f"<= {at_most:g}", figure <= at_most
        elif at_least is not None:
            goal, met = f">= {at_least:g}", figure >= at_least
        request.config.stash[FIGURES].append(Figure(name, round(figure, 4), unit, goal, met))

    return add


@pytest.hookimpl(trylast=True)  # below the tables
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    figures = config.stash[FIGURES]
    if not figures:
        return
    terminalreporter.section("figures")
    terminalreporter.line(f"measured: {Path(corefast.__file__).parent}")
    for figure in figures:
        terminalreporter.line(str(figure))
    if path := config.getoption("--figures"):
        lines = [json.dumps(asdict(figure)) for figure in figures]
        Path(path).write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
