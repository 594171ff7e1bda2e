"""«Скачать»: a file holds what the page shows, as numbers and dates, and nothing runs in it."""

import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from points_world import PASSWORD, make, told
from portal import Browser, words
from spreadsheets import read_csv, read_xlsx

from hub.app import create_app
from hub.domain.clock import MeterTime
from hub.domain.journal import JournalEntry, JournalPage
from hub.domain.pages import Cursor
from hub.services import events
from hub.web.kit.downloads import Column, Sheet, write_csv, write_xlsx
from hub.web.kit.formats import number
from hub.web.kit.i18n import language

MIDNIGHT = datetime(2026, 11, 16, 21, tzinfo=UTC)  # of 17 November in Moscow
DAY, HALF = timedelta(days=1), timedelta(minutes=30)
WEEK = "from=2026-11-17&to=2026-11-23"
TABS = ("info", "readings", "profile", "journal", "transformers")
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12) | st.sampled_from(
    ["=1+1", "+7 900", "-5", "@SUM(A1)", "=cmd|' /C calc'!A0", "a;b", 'a"b', "a,b"]
)
NUMBERS = st.decimals(-(10**9), 10**9, places=3)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
MINUTES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(
    lambda at: at.replace(second=0, microsecond=0)
)


@pytest.fixture
def signed(settings, store, plugins, clock):
    app = create_app(settings, store, plugins)
    made = app.state.services
    made.home.clock = made.pages.clock = clock
    owner = make(store, "anna@example.org", facts={"model": "=HYPERLINK(1)"})
    with TestClient(app, raise_server_exceptions=False) as client:
        browser = Browser(client)
        assert browser.sign_in("anna@example.org", PASSWORD).status_code == 303
        browser.made = owner
        browser.here = f"/points/{owner.point}"
        yield browser


@pytest.fixture
def week(store, signed):
    """Seven days from 17 November on, without five half-hours of the 19th."""
    gap = {MIDNIGHT + 2 * DAY + slot * HALF for slot in range(20, 25)}
    return told(store, signed.made, MIDNIGHT, MIDNIGHT + 7 * DAY, without=gap)


def both(signed, address):
    name, _, query = address.partition("?")
    query = f"?{query}" if query else ""
    xlsx = signed.open(f"{signed.here}/{name}.xlsx{query}")
    csv = signed.open(f"{signed.here}/{name}.csv{query}")
    assert (xlsx.status_code, csv.status_code) == (200, 200)
    return read_xlsx(xlsx), read_csv(csv)


def in_russian(cell):
    """Write a cell of the XLSX as the CSV has it."""
    if isinstance(cell, Decimal):
        text = f"{cell:f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")
    if isinstance(cell, datetime):
        return f"{cell:%d.%m.%Y %H:%M}"
    if isinstance(cell, date):
        return f"{cell:%d.%m.%Y}"
    return f"'{cell}" if cell is not None and cell[0] in "=+-@" else cell


def page_rows(html, part):
    """The exact values of a page's table by the row's head, None for a dash."""
    html = html[html.index(f'id="{part}"') :]
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    value = re.compile(r'<data value="([^"]*)">|<td class="num[^"]*">([^<]*)</td>')
    found = {}
    for head, cells in re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', body, re.DOTALL):
        found[words(head).strip()] = [
            exact or (shown if shown != "–" else None) for exact, shown in value.findall(cells)
        ]
    return found


@pytest.mark.clause("T9.csv", "T9.xlsx")
@pytest.mark.parametrize("tab", TABS)
def test_every_tab_gives_both_files_with_a_head(signed, week, tab):
    address = signed.here if tab == "info" else f"{signed.here}/{tab}"
    text = signed.open(address).text
    for form in ("xlsx", "csv"):
        assert f'href="{signed.here}/{tab}.{form}"' in text
        answer = signed.open(f"{signed.here}/{tab}.{form}")
        assert re.fullmatch(
            rf'attachment; filename="[a-z]+-[0-9-]+\.{form}"',
            answer.headers["content-disposition"],
        )
    for table in both(signed, tab):
        assert table.facts["Точка учета"] == "Ввод 1"
        assert "№" in table.facts["Прибор"]
        assert re.fullmatch(r"\d\d\.\d\d\.\d{4} \d\d:\d\d", table.facts["Составлено"])
        if tab in {"readings", "profile", "journal"}:
            assert table.facts["Период"]
            assert "UTC+3" in table.facts["Часовой пояс"]
        if tab in {"readings", "profile"}:
            assert table.facts["Шаг"]


@pytest.mark.clause("T9.csv", "T9.xlsx")
@pytest.mark.parametrize("address", [
    "info", "transformers", "journal?from=2026-11-01&to=2026-11-30",
    f"readings?{WEEK}", "readings?scale=weeks", f"profile?{WEEK}", f"profile?{WEEK}&step=60",
])  # fmt: skip
def test_both_forms_hold_the_same_table(signed, week, address):
    xlsx, csv = both(signed, address)
    assert xlsx.heads == csv.heads
    assert [[in_russian(cell) for cell in row] for row in xlsx.rows] == csv.rows


@pytest.mark.clause("T9.csv", "T9.xlsx")
def test_the_profile_file_has_the_intervals_that_the_page_shows(signed, week):
    file, _ = both(signed, f"profile?{WEEK}")
    assert file.heads == ["Начало", "Окончание", "Зона", "P+, кВт", "Q+, квар", "P+, кВт·ч",
                          "Качество"]  # fmt: skip
    assert len(file.rows) == 7 * 48
    for day in range(17, 24):
        page = page_rows(
            signed.open(f"{signed.here}/profile?{WEEK}&day=2026-11-{day}").text, "profile-table"
        )
        rows = [row for row in file.rows if row[0].day == day]
        assert len(page) == len(rows) == 48
        for (head, shown), row in zip(page.items(), rows, strict=True):
            assert head.startswith(f"{row[0]:%H:%M}")
            kwh = shown[-1]
            assert (row[5] is None) == (kwh is None)
            assert kwh is None or abs(Decimal(kwh) - row[5]) < Decimal("1e-9")
            if shown[0] is not None:
                assert number(row[3], 2) == shown[0]
    lost = [row for row in file.rows if row[6] == "Нет данных"]
    assert [row[0] for row in lost] == [datetime(2026, 11, 19, 10) + n * HALF for n in range(5)]
    assert all(row[3:6] == [None] * 3 for row in lost)
    whole = page_rows(signed.open(f"{signed.here}/profile?{WEEK}").text, "profile-table")
    days = sum(Decimal(row[3]) for row in whole.values())
    assert file.facts["Всего, кВт·ч"] == days == sum(row[5] for row in file.rows if row[5])


@pytest.mark.clause("T9.csv", "T9.xlsx")
def test_the_step_of_the_page_is_the_step_of_the_file(signed, week):
    file, _ = both(signed, f"profile?{WEEK}&step=60")
    assert len(file.rows) == 7 * 24
    assert file.facts["Шаг"] == "Час"


@pytest.mark.clause("T9.csv", "T9.xlsx")
@pytest.mark.parametrize("scale", ["days", "weeks", "months"])
def test_the_readings_file_is_the_table_of_the_page(signed, week, scale):
    address = f"readings?scale={scale}&{WEEK}"
    file, _ = both(signed, address)
    page = page_rows(signed.open(f"{signed.here}/{address}").text, "reading-rows")
    assert len(file.rows) == len(page) + 1  # and the total
    for row, shown in zip(file.rows, page.values(), strict=False):
        assert [None if cell is None else f"{cell:f}" for cell in row[2:-1]] == shown


@pytest.mark.clause("T9.csv", "T9.xlsx")
def test_the_journal_file_has_all_pages_of_the_filter(signed, store):
    many = [
        JournalEntry("03", "phase_voltage_lost", at, at, {"phase": "1"})
        for at in (MeterTime(datetime(2026, 11, 5, n // 60, n % 60)) for n in range(120))
    ]
    moved = JournalEntry("02", "clock_corrected", MeterTime(datetime(2026, 11, 6, 3)))
    for book, entries in (("03", many), ("02", [moved])):
        page = JournalPage(entries=tuple(entries), lost=None, next=Cursor("t/1", "1"), more=False)
        events.store_journal_page(store, signed.made.meter, book, page, lease=signed.made.lease)
    span = "from=2026-11-01&to=2026-11-30"
    file, _ = both(signed, f"journal?{span}")
    assert len(file.rows) == 121
    shown, query = [], f"?{span}"
    while query:
        text = signed.open(f"{signed.here}/journal{query}").text
        shown += re.findall(
            r"<li id=\"event-\d+\"><span class=\"tile.*?<b>(.*?)</b>", text, re.DOTALL
        )
        older = re.search(r'href="[^"]*(\?[^"]*after=[0-9-]+)"', text)
        query = older and older[1].replace("&amp;", "&")
    shown = [re.sub(r'<span class="vh">.*?</span>', "", each) for each in shown]  # how grave it is
    assert [words(each).strip() for each in shown] == [
        words(each).strip() for each in file.column("Событие")
    ]
    one, _ = both(signed, f"journal?{span}&topic=clock")
    assert one.column("Вид события") == ["Часы"]
    assert one.column("Начало") == [datetime(2026, 11, 6, 3)]


@pytest.mark.clause("T9.csv", "T9.xlsx")
def test_the_information_file_has_the_25_fields_of_the_page(signed, week):
    file, csv = both(signed, "info")
    text = signed.open(signed.here).text
    page = {words(name).strip(): words(value).strip() for name, value in
            re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text, re.DOTALL)}  # fmt: skip
    assert [words(label) for label in file.column("Поле")] == list(page)
    assert len(page) == 25
    for label, value in zip(file.column("Поле"), file.column("Значение"), strict=True):
        assert (value is None) == (page[words(label)] == "–"), label
    assert "=HYPERLINK(1)" in file.column("Значение")  # a text, no formula; see spreadsheets
    assert "'=HYPERLINK(1)" in csv.column("Значение")


@given(st.lists(st.tuples(TEXT | st.none(), NUMBERS | st.none(), DAYS, MINUTES), max_size=6))
def test_what_is_written_is_read_back_as_what_it_was(rows):
    token = language.set("ru")
    sheet = Sheet("x", [("Точка", "Ввод")], [Column(name, 2) for name in "abcd"], rows)
    files = io.BytesIO(), io.BytesIO()
    write_xlsx(sheet, files[0])
    write_csv(sheet, files[1])
    language.reset(token)

    class Answer:
        def __init__(self, file):
            self.content = file.getvalue()
            self.headers = {"content-type": "text/csv; charset=utf-8"}

    kept = [[cell if cell != "" else None for cell in row] for row in rows]
    assert read_xlsx(Answer(files[0])).rows == kept
    read = read_csv(Answer(files[1])).rows
    assert read == [[in_russian(cell) for cell in row] for row in kept]
    for row in read:
        assert row[0] is None or not row[0].startswith(("=", "+", "-", "@"))


def test_in_english_fields_are_parted_by_commas():
    token = language.set("en")
    file = io.BytesIO()
    row = [Decimal("1.50"), date(2026, 11, 24), datetime(2026, 11, 24, 9, 30), None, "a,b"]
    write_csv(Sheet("x", [], [Column(name) for name in "abcde"], [row]), file)
    language.reset(token)
    assert file.getvalue().decode("utf-8-sig").splitlines() == [
        "", "a,b,c,d,e", '1.5,2026-11-24,2026-11-24 09:30,,"a,b"',
    ]  # fmt: skip


def test_of_more_than_a_year_the_newest_year_is_given_and_said(signed, week):
    file, _ = both(signed, "profile?from=2020-01-01&to=2026-11-23")
    assert len(file.rows) == 371 * 48
    assert file.facts["Примечание"]
    assert file.rows[-1][0] == datetime(2026, 11, 23, 23, 30)
