"""What the browser shows is what the virtual meter counted: exactly, with scripts and without."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from browsing import sign_in
from playwright.sync_api import Page, expect

from hub.cli.demo_utility import EMAIL, PASSWORD, ZONE

pytestmark = pytest.mark.e2e

HOUSE, GARAGE = "Дом, ввод 380 В", "Гараж"
DAY = timedelta(days=1)
HALF = timedelta(minutes=30)
LOCAL = ZoneInfo(ZONE)
READ_MS = 180_000
ROWS = """() => [...document.querySelectorAll("#profile-table tbody tr, #profile-table tfoot tr")]
  .map((row) => [row.querySelector("th").innerText,
    [...row.querySelectorAll("td.num")].map((cell) =>
      cell.querySelector("data")?.getAttribute("value") ?? null)])"""


@pytest.fixture(scope="module")
def history(demo, browser):
    """The demo, once the whole history has been read and shown."""
    page = browser.new_page()
    sign_in(page, demo.url, EMAIL, PASSWORD)
    expect(page.locator("#growing:visible")).to_have_count(0, timeout=READ_MS)
    page.close()
    return demo


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def page(request, browser, history):
    context = browser.new_context(java_script_enabled=request.param, locale="ru-RU")
    found = context.new_page()
    sign_in(found, history.url, EMAIL, PASSWORD)
    yield found
    context.close()


@pytest.fixture
def scripted(browser, history):
    context = browser.new_context(locale="ru-RU")
    found = context.new_page()
    complaints: list[str] = []
    found.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(found, history.url, EMAIL, PASSWORD)
    yield found
    context.close()
    assert complaints == []


def open_point(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()
    page.get_by_role("link", name="Профиль мощности").click()
    page.wait_for_url("**/profile")


def show(page: Page, first, last) -> None:
    """Choose a free range in the toolbar's form."""
    page.locator("details.menu.start > summary").filter(
        has=page.locator("use[href$=calendar]")
    ).click()
    page.fill("#from", f"{first}")
    page.fill("#to", f"{last}")
    page.click("form.range button")
    page.wait_for_url(f"**from={first}&to={last}*")


def table(page: Page) -> dict[str, list[str | None]]:
    """Rows of the table: exact values, None for a dash."""
    found = page.evaluate(ROWS)
    return {head.replace("\N{NO-BREAK SPACE}", " "): values for head, values in found}


def total_column(page: Page) -> int:
    """Where the total stands among the numbers of a row: behind the zones."""
    heads = page.locator("#profile-table thead th.num").all_inner_texts()
    return sum(re.fullmatch(r"T\d", head.strip()) is not None for head in heads)


def exact(counts, constant: int) -> Decimal:
    whole = Fraction(sum(count for count in counts if count is not None), 2 * constant)
    return Decimal(whole.numerator) / whole.denominator


def midnight(day) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL)


def starts_with(rows, head: str):
    (found,) = [values for name, values in rows.items() if name.startswith(head)]
    return found


MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября",
    "октября", "ноября", "декабря",
)  # fmt: skip


def worded(day) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


@pytest.mark.parametrize("name", [HOUSE, GARAGE])
def test_sums_in_the_table_are_the_counts_of_the_meter(page, history, name):
    constant = history.constant(name)
    first, last = history.since + 2 * DAY, history.today - DAY
    open_point(page, name)
    show(page, first, last)
    rows, total_at = table(page), total_column(page)
    whole = []
    day = first
    while day <= last:
        counts = history.counts(name, midnight(day), midnight(day + DAY))
        values = starts_with(rows, f"{worded(day)}, ")
        assert Decimal(values[total_at]) == exact(counts.values(), constant)
        zones = [Decimal(value) for value in values[:total_at] if value is not None]
        assert sum(zones) == Decimal(values[total_at])
        night = [c for at, c in counts.items() if not 7 <= at.astimezone(LOCAL).hour < 23]
        assert Decimal(values[total_at - 1]) == exact(night, constant)  # T2 is read last
        whole += counts.values()
        day += DAY
    assert Decimal(starts_with(rows, "Всего")[total_at]) == exact(whole, constant)
    assert page.locator("#profile-totals data").first.get_attribute("value") == str(
        exact(whole, constant).normalize()
    )
    page.get_by_role("link", name="Месяцы").click()
    page.wait_for_url("**by=month*")
    months = table(page)
    total = sum(Decimal(values[total_at]) for head, values in months.items() if head != "Всего")
    assert total == exact(whole, constant)


@pytest.mark.parametrize("name", [HOUSE, GARAGE])
def test_a_day_opens_to_half_hours_and_a_gap_stays_a_gap(page, history, name):
    constant, day = history.constant(name), history.today - 10 * DAY  # of the garage's outage
    open_point(page, name)
    show(page, day - DAY, day + DAY)
    days = page.locator("#profile-table")
    days.get_by_role("link", name=f"{worded(day)}, ").click()
    page.wait_for_url(f"**day={day}*")
    expect(page.locator("#profile-table tbody tr")).to_have_count(48)
    rows = table(page)
    total = rows.pop("Всего")[-1]
    counts = history.counts(name, midnight(day), midnight(day + DAY))
    assert len(rows) == 48
    for number, values in enumerate(rows.values()):
        count = counts.get(midnight(day) + number * HALF)
        known = None if count is None else exact([count], constant)
        assert (None if values[-1] is None else Decimal(values[-1])) == known
    assert Decimal(total) == exact(counts.values(), constant)
    missing = sum(values[-1] is None for values in rows.values())
    assert missing == sum(count is None for count in counts.values()) + 48 - len(counts)
    assert (missing > 0) == (name == GARAGE)


def test_the_address_follows_and_back_leads_back(page, history):
    open_point(page, HOUSE)
    start = page.url
    hours = page.get_by_role("link", name="Час", exact=True)
    hours.click()
    page.wait_for_url("**step=60")
    hourly = page.url
    page.get_by_role("link", name="Показания", exact=True).click()
    page.wait_for_url("**/readings")
    expect(page.locator("#rows-h")).to_be_visible()
    assert "Показания" in page.title()
    page.go_back()
    page.wait_for_url(hourly)
    expect(page.locator("#profile-totals")).to_be_visible()
    expect(page.get_by_role("link", name="Час", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    page.go_back()
    page.wait_for_url(start)
    half_hours = page.get_by_role("link", name="30 минут", exact=True)
    expect(half_hours).to_have_attribute("aria-current", "true")
    page.goto(hourly)  # what was shared opens the same
    expect(page.get_by_role("link", name="Час", exact=True)).to_have_attribute(
        "aria-current", "true"
    )


def test_the_chart_is_read_by_keyboard(scripted, history):
    day = history.today - 3 * DAY
    open_point(scripted, HOUSE)
    show(scripted, day, day)
    plot = scripted.locator("#profile-plot [role=application]")
    expect(plot).to_be_visible()
    plot.focus()
    plot.press("Home")
    spoken = scripted.locator("#live")
    expect(spoken).to_contain_text("00:00")
    plot.press("ArrowRight")
    constant = history.constant(HOUSE)
    counts = history.counts(HOUSE, midnight(day), midnight(day + DAY))
    power = 2 * exact([counts[midnight(day) + HALF]], constant)
    expect(spoken).to_contain_text("00:30")
    expect(spoken).to_contain_text(f"{power:.2f}".replace(".", ","))
    plot.press("Home")
    for _ in range(7):
        plot.press("Shift+ArrowRight")
    four_hours = exact([counts[midnight(day) + n * HALF] for n in range(8)], constant)
    expect(scripted.locator("#selection")).to_contain_text(
        re.compile(rf"{f'{four_hours:.1f}'.replace('.', ',')}")
    )
    plot.press("Escape")
    expect(scripted.locator("#selection")).to_be_hidden()
