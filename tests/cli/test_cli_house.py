"""``hub house``: the books worked from the command line, as a utility's clerk would."""

import contextlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner

from hub.cli.house import house
from hub.errors import HubError
from hub.plugins.api import AppealDraft, Submission
from hub.services.books import HouseBooks
from hub.services.passwords import Passwords
from hub.store.secrets import new_key
from hub.store.unit import Store

SETUP = (
    ("open", "Заречье", "--phone", "8 800", "--site", "https://z.example"),
    ("contract", "76-1", "--holder", "Орлова М. С.", "--address", "Садовая, 14",
     "--balance", "-100.50", "--as-of", "2026-10-01"),
    ("price", "Вода", "T1", "48.50", "--from", "2026-01-01"),
    ("price", "Вода", "fixed", "30", "--from", "2026-01-01"),
    ("point", "76-1", "--name", "Вода", "--number", "P-2", "--resource", "water",
     "--digits", "5.3", "--window", "1-31", "--tariff", "Вода", "--fact", "norm_month=6"),
    ("reading", "76-1", "P-2", "100", "--on", "2026-09-20"),
    ("reading", "76-1", "P-2", "104,25", "--on", "2026-10-20"),
)  # fmt: skip


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Runs commands on a fresh database; ``refuses`` gives the sentence of one that is refused."""
    key, url = new_key(), f"sqlite:///{tmp_path}/hub.sqlite"
    monkeypatch.setenv("HUB_DATABASE_URL", url)
    monkeypatch.setenv("HUB_KEYS", key)

    def run(*words):
        done = CliRunner().invoke(house, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    def refuses(*words):
        done = CliRunner().invoke(house, words)
        assert done.exit_code != 0
        if isinstance(done.exception, HubError):
            return str(done.exception)
        assert done.exit_code == 2, done.exception
        return done.output.splitlines()[-1]

    run.refuses = refuses
    run.store = lambda: Store.open(url, keys=[key])
    return run


@pytest.fixture
def made(hub):
    for words in SETUP:
        hub(*words)
    return hub


def test_books_are_set_up_charged_and_paid(made):
    assert "76-1" in made("list")
    charged = made("charge", "76-1", "2026-10", "--line", "Пени", "12.50")
    assert "Вода: 4.25 m3 x 48.500000 ₽ = 206.13 ₽ (accepted)" in charged
    assert "Bill      2026-10  248.63 ₽" in charged
    assert made("pay", "76-1", "349.13", "--reference", "b1", "--on", "2026-11-10").startswith(
        "Booked"
    )
    assert "nothing changed" in made("pay", "76-1", "349.13", "--reference", "b1")
    shown = json.loads(made("show", "76-1", "--json"))
    assert shown["balance_kopecks"] == 0
    assert shown["bills"][0]["roubles"] == "248.63"
    assert sum(float(line["roubles"]) for line in shown["bills"][0]["lines"]) == 248.63
    assert "Point     Вода (P-2, water)" in made("show", "76-1")
    again = json.loads(made("charge", "76-1", "2026-10", "--line", "Перерасчет", "-1", "--json"))
    assert again["bill"]["roubles"] == "-1.00"
    assert json.loads(made("list", "--json"))[0]["balance_kopecks"] == 100


async def test_access_notice_appeal_and_readings(made):
    given = json.loads(made("access", "76-1", "--json"))
    assert (given["login"], given["until"]) == ("76-1", None)
    assert "Login     dom" in made("access", "76-1", "--login", "dom")
    made("notice", "--all", "--kind", "planned_work", "--title", "Работы", "--text", "3 декабря",
         "--from", "2026-12-03T10:00+04:00", "--to", "2026-12-03T14:00+04:00")  # fmt: skip
    made("notice", "76-1", "--kind", "debt", "--title", "Долг", "--text", "Оплатите")
    assert made("readings") == "No readings wait.\n"
    assert made("appeals") == "No appeals wait.\n"
    store = made.store()
    await as_the_consumer(store)
    sent, _ = json.loads(made("readings", "--json"))
    assert (sent["values"], sent["before"]) == ({"": "106"}, {"": "104.250"})
    assert "106 (was 104.250)" in made("readings")
    assert made("refuse", "1", "Нет фото") == "Refused the readings 1.\n"
    assert "Нет фото" in made("readings", "--all")
    assert made("accept", "2") == "Accepted the readings 2.\n"
    assert "№1  in_work  76-1  Тема" in made("appeals")
    assert made("answer", "1", "Сделали", "--state", "closed", "--who", "Петров") == (
        "The appeal №1 is closed.\n"
    )
    (asked,) = json.loads(made("appeals", "--all", "--json"))
    assert [said["who"] for said in asked["thread"]] == ["", "Петров"]
    assert made("access", "76-1", "--revoke").startswith("Nobody can link")
    store.close()


async def as_the_consumer(store):
    """Ask by the connector's desk: notices are there; send readings twice and an appeal."""
    books = HouseBooks(store, 1, Passwords())
    account = await books.by_number("76-1")
    titles = [notice.title for notice in (await books.notices(account, None)).items]
    assert titles == ["Работы", "Долг"]
    (point,) = await books.points(account)
    today = datetime.now(UTC).date()
    for key in ("a", "b"):
        values = {"": Decimal(106)}
        await books.submit(
            account, Submission(key=key, point_id=point.id, taken_on=today, values=values)
        )
    await books.create_appeal(
        account, AppealDraft(key="c", subject="Тема", text="x", email="a@example.org", phone="")
    )


def test_by_code_the_letter_names_the_day(hub):
    hub("open", "По коду", "--by-code")
    hub("contract", "1", "--holder", "x", "--address", "y")
    assert "It works once, until 20" in hub("access", "1")
    assert json.loads(hub("access", "1", "--json"))["until"]


def test_several_utilities_have_to_be_told_apart(hub):
    assert "There are no books yet" in hub.refuses("list")
    hub("open", "А")
    hub("open", "Б")
    assert hub.refuses("list") == "Error: Say with --supplier whose books: 'А', 'Б'"
    assert hub("list", "--supplier", "Б") == ""
    assert "books of 'А' already" in hub.refuses("open", "А")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("charge", "76-9", "2026-10"), "The books have no contract 76-9"),
        (("charge", "76-1", "october"), "'october-01' is no day"),
        (("pay", "76-1", "0"), "has to be more than nothing"),
        (("pay", "76-1", "1.005"), "finer than a kopeck"),
        (("pay", "76-1", "nan"), "is no number"),
        (("price", "Вода", "T1", "0.0000001", "--from", "2027-01-01"), "0 or more"),
        (("price", "Вода", "T1", "1", "--from", "2025-01-01"), "has to begin later"),
        (("reading", "76-1", "P-2", "1000000", "--on", "2026-11-01"), "Readings are wanted"),
        (("reading", "76-1", "P-9", "1", "--on", "2026-11-01"), "has no point P-9"),
        (("point", "76-1", "--name", "x", "--window", "0-9"), "two days of the month"),
        (("point", "76-1", "--name", "x", "--digits", "five"), "written like 5.2"),
        (("point", "76-1", "--name", "x", "--fact", "colour=red"), "'colour' is no fact"),
        (("point", "76-1", "--name", "x", "--tariff", "нет"), "no tariff 'нет'"),
        (("notice", "--kind", "debt", "--title", "x", "--text", "x"), "or --all"),
        (("notice", "--all", "--kind", "debt", "--title", " ", "--text", "x"), "title is empty"),
        (("notice", "--all", "--kind", "debt", "--title", "x", "--text", "x", "--from",
          "tomorrow"), "'tomorrow' is no time"),
        (("accept", "5"), "There is no submission 5"),
        (("answer", "5", "x"), "There is no appeal 5"),
        (("contract", "76-1", "--holder", "x", "--address", "y"), "already have a contract"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(made, words, sentence):
    said = made.refuses(*words)
    assert sentence in said


async def transformers(hub):
    with contextlib.closing(hub.store()) as store:
        books = HouseBooks(store, 1, Passwords())
        (point,) = await books.points(await books.by_number("76-1"))
    return point.transformers


async def test_transformers_are_entered_replaced_and_struck(made):
    hang = ("transformer", "76-1", "P-2", "--phase", "2", "--from", "2023-02-01")
    made(*hang, "--fact", "serial=551201", "--fact", "primary_current=200 А")
    made(*hang, "--fact", "serial=551202")
    made("transformer", "76-1", "Вода", "--kind", "voltage", "--phase", "1", "--to", "2024-01-31")
    first, second = await transformers(made)
    assert (first.kind, first.phase, first.facts) == ("current", 2, {"serial": "551202"})
    assert (second.kind, second.from_on, second.to_on) == ("voltage", None, date(2024, 1, 31))
    made(*hang, "--strike")
    assert await transformers(made) == (second,)
    assert "no such transformer" in made.refuses(*hang, "--strike")
    assert "there are model, serial" in made.refuses(*hang, "--fact", "colour=red")
    assert "no point P-9" in made.refuses("transformer", "76-1", "P-9", "--phase", "1")


@pytest.mark.clause("N4.kinds")
def test_the_utility_chooses_which_events_are_told(hub):
    hub("open", "А")
    usual = {each["kind"]: each["on"] for each in json.loads(hub("events", "list", "--json"))}
    assert {kind for kind, on in usual.items() if on} == {
        "case_opened", "terminal_cover_opened", "magnetic_field", "power_lost",
        "phase_voltage_lost", "voltage_below_limit", "voltage_above_limit",
    }  # fmt: skip
    assert hub("events", "off", "power_lost", "magnetic_field") == (
        "power_lost, magnetic_field: off.\n"
    )
    hub("events", "on", "clock_corrected")
    listed = hub("events", "list")
    assert "off  power_lost  (chosen)" in listed
    assert "on   clock_corrected  (chosen)" in listed
    assert "on   case_opened\n" in listed
    assert "no such kind of event" in hub.refuses("events", "on", "weather")
    assert json.loads(hub("events", "list", "--json"))[0]["kind"] == "power_lost"
