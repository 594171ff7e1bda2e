"""docs/requirements.md against the tests that show it and the pages that say it."""

import ast
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from points_world import HALF, PASSWORD, make, told
from portal import words

from hub.domain.clock import MeterTime
from hub.domain.journal import JournalPage
from hub.domain.pages import Cursor
from hub.domain.profile import Gap
from hub.plugins.api import TransformerCard
from hub.services import events
from hub.services.accounts import Accounts
from hub.services.cards import transformer_dict
from hub.store import tables
from hub.store import told as kept

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/requirements.md").read_text("utf-8")
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
LISTED, _, OPEN = PAGE.partition("## Not shown yet")
CLAUSE = re.compile(r"^- `([A-Z]\d+\.[a-z0-9-]+)`: (.*)$", re.MULTILINE)
CLAUSES = CLAUSE.findall(LISTED)


def clauses_of(path: Path) -> set[str]:
    """Ids that any ``pytest.mark.clause(…)`` of a file names, also on a parameter."""
    tree = ast.parse(path.read_text("utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    marks = (call for call in calls if ast.unparse(call.func).endswith("mark.clause"))
    return {ast.literal_eval(argument) for call in marks for argument in call.args}


SHOWN = {clause: path.name for path in TESTS for clause in clauses_of(path)}


def test_each_clause_is_listed_once_in_the_order_of_its_rows():
    ids = [name for name, _ in CLAUSES]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    letters = "ACMPTNS"
    rows = [(letters.index(name[0]), int(name[1:].partition(".")[0])) for name in ids]
    assert rows == sorted(rows)


def test_marks_of_tests_name_clauses_that_are_listed():
    listed = {name for name, _ in CLAUSES}
    assert {name: file for name, file in SHOWN.items() if name not in listed} == {}


def test_each_clause_has_a_test_or_is_said_to_have_none():
    without = [name for name, _ in CLAUSES if name not in SHOWN]
    assert without == re.findall(r"`([A-Z]\d+\.[a-z0-9-]+)`", OPEN)


# -- words ---------------------------------------------------------------------------------------

GUEST = {"/login", "/register", "/recover"}
# Where the quoted words of a clause are: '#' is the contract, '@' the smart point, '-' the one
# that people read, '0' the door of somebody without a contract.
PLACES = {
    "A1": "/login", "A2": "/login", "A3": "/register", "A8": "/recover", "A9": "#",
    "C1": "#:/contracts/new", "C4": "#:#/edit", "C6": "0",
    "M1": "#", "M3": "#", "M4": "#", "P3": "/account/security",
    "T1": "#/points:@", "T2": "#:#/points", "T3": "@", "T4": "@", "T5": "@/readings",
    "T6": "@/profile", "T7": "@/journal", "T8": "@/transformers", "T9": "@/readings:@/profile",
    "T10": "#/points:-", "N1": "#/notifications", "S1": "#/appeals", "S2": "#/appeals",
}  # fmt: skip
TAKEN = "A5.known"  # said after the form is sent; by its test
LABELS = [
    (name, label)
    for name, text in CLAUSES
    for label in re.findall("«([^»]+)»", text)
    if name in SHOWN and name != TAKEN
]


@pytest.fixture
def pages(portal, store):
    """Opens a page by its place, as a person reads it."""
    anna = make(store, "anna@example.org", facts={"model": "Меркурий 234 ART(M)"})
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    told(store, anna, last - timedelta(days=12), last)
    end = MeterTime(last.replace(tzinfo=None))
    lost = JournalPage(entries=(), lost=Gap(None, end), next=Cursor("toy/1", "1"), more=False)
    events.store_journal_page(store, anna.meter, "1A", lost, lease=anna.lease)
    Accounts(store).add(email="new@example.org", full_name="Ким Лев", password=PASSWORD)
    with store.write() as unit:
        for number, state in (("2", "in_work"), ("3", "closed")):
            kept.add(
                unit,
                tables.Appeal(
                    contract_id=anna.contract, key=f"label{number}", remote_id=f"l{number}",
                    number=number, subject="Вопрос", state=state, created_at=last,
                    changed_at=last + HALF,
                ),
            )  # fmt: skip
        kept.add(
            unit,
            tables.ToldReading(
                contract_point_id=anna.point + 1, zone="", taken_on=last.date(), value="7.5",
                source="theirs", basis="accepted", told_at=last,
            ),
        )  # fmt: skip
        point = unit.session.get(tables.ContractPoint, anna.point)
        point.transformers = [
            transformer_dict(
                TransformerCard(kind="current", phase=phase, facts={}, from_on=last.date())
            )
            for phase in (1, 2, 3)
        ]
        unit.cursor().execute("UPDATE contract SET does = ?", ('["submit", "appeals"]',))
    browsers = {"anna@example.org": None, "new@example.org": None, "": portal()}

    def read(place: str) -> str:
        who = "" if place in GUEST else "new@example.org" if place == "0" else "anna@example.org"
        if browsers[who] is None:
            browsers[who] = portal()
            assert browsers[who].sign_in(who, PASSWORD).status_code == 303
        paths = {"#": f"/contracts/{anna.contract}", "@": f"/points/{anna.point}",
                 "-": f"/points/{anna.point + 1}", "0": "/"}  # fmt: skip
        path = paths.get(place[0], place[0]) + place[1:]
        return words(browsers[who].open(path).text)

    return read


def test_quoted_words_are_visible_on_their_pages(pages):
    texts: dict[str, str] = {}
    missing = []
    for name, label in LABELS:
        wanted = [part.casefold() for part in label.split(" … ")]
        found = False
        for place in PLACES[name.partition(".")[0]].split(":"):
            texts.setdefault(place, pages(place) if place not in texts else "")
            found |= all(part in texts[place].casefold() for part in wanted)
        if not found:
            missing.append((name, label))
    assert missing == []
