"""«Показания» and «Профиль мощности»: the span that is asked for, and pictures that say what the
tables say."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from litestar.testing import TestClient
from points_world import HALF, PASSWORD, make, told
from portal import Browser, words

from hub.app import create_app
from hub.plugins.api import Channel, Cursor, Page, SupplierSlot
from hub.services.half_hours import keep_page
from hub.store import readings as stored_readings
from hub.store.readings import Taken

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST = datetime(2026, 9, 30, 21, tzinfo=UTC)  # midnight of 1 October in Moscow
ROW = re.compile(r'<th scope="row">(.*?)</th>(.*?)</tr>', re.DOTALL)
COLUMN = re.compile(r'<a href="([^"]+)" aria-label="([^"]+)">(.*?)</a>', re.DOTALL)
BAND = re.compile(r'<g class="z(\d)"><rect class="band" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"')
AXIS = re.compile(r'<line class="axis" x1="([\d.]+)" x2="([\d.]+)"')
TWO = [
    {"zone": "T1", "from": "08:00", "to": "21:30", "days": "workdays"},
    {"zone": "T2", "from": "21:30", "to": "08:00", "days": "workdays"},
    {"zone": "T2", "from": "00:00", "to": "00:00", "days": "weekend"},
]


@pytest.fixture
def open_as(settings, store, plugins):
    """Opens pages as the owner of ``make``'s points, on 24 November."""
    app = create_app(settings, store, plugins)
    made = app.state.services
    made.home.clock = made.pages.clock = lambda: NOW
    with TestClient(app, raise_server_exceptions=False) as client:

        def sign(email: str) -> Browser:
            browser = Browser(client)
            browser.client.cookies.clear()
            assert browser.sign_in(email, PASSWORD).status_code == 303
            return browser

        yield sign


def registers(store, meter: int, days: int) -> None:
    """T1 grows by 0.6 kWh a day, T2 by 0.4, T3 by 0.2, and all three by what day it is."""
    taken, values = [], [1_000_000, 2_000_000, 3_000_000]
    for number in range(days):
        at = FIRST + number * DAY
        for place in range(3):
            taken.append(Taken(f"1.8.{place + 1}", at, values[place], day_start=True))
            values[place] += 600 - 200 * place + number
        taken.append(Taken("1.8.0", at, sum(taken[each].value for each in (-3, -2, -1)), True))
    with store.write() as unit:
        stored_readings.keep(unit, meter, taken)


def used(first: int, last: int, place: int) -> Decimal:
    """What the zone used from day to day of ``registers``, in kWh, both included."""
    return sum(Decimal(600 - 200 * place + day) for day in range(first, last + 1)) / 1000


def table(text: str) -> list[tuple[str, list[Decimal | None]]]:
    body = text[text.index('id="reading-rows"') :]
    body = body[body.index("<tbody>") : body.index("</tbody>")]
    value = re.compile(r'<data value="([^"]*)">|<td class="num[^"]*">–</td>')
    return [
        (words(head).strip(), [Decimal(each) if each else None for each in value.findall(cells)])
        for head, cells in ROW.findall(body)
    ]


@pytest.fixture
def read(open_as, store):
    made = make(store, "anna@example.org")
    registers(store, made.meter, 56)
    browser = open_as("anna@example.org")
    browser.here = f"/points/{made.point}/readings"
    return browser


@pytest.mark.clause("T5.periods")
@pytest.mark.parametrize(
    ("scale", "periods"),
    [
        ("days", [(14 + day, 14 + day) for day in range(18)]),  # 15 October to 1 November
        ("weeks", [(14, 17), (18, 24), (25, 31)]),
        ("months", [(14, 30), (31, 31)]),
    ],
)
def test_periods_of_the_span_have_their_registers_and_consumption(read, scale, periods):
    """The dates are typed into the page's own form; the registers are of each period's end."""
    page = read.open(f"{read.here}?scale={scale}").text
    typed = read.fill(page, read.here, {"from": "2026-10-15", "to": "2026-11-01"})
    assert typed.get("scale", "days") == scale
    rows = table(read.client.get(read.here, params=typed).text)
    assert len(rows) == len(periods)
    for (first, last), (_label, shown) in zip(reversed(periods), rows, strict=True):
        order = (0, 2, 1)  # T1, T3, T2, as they are read
        ends = [Decimal(1000 * (place + 1)) + used(0, last, place) for place in order]
        zones = [used(first, last, place) for place in order]
        assert shown == [*ends, *zones, sum(zones)]


@pytest.mark.clause("T5.chart")
@pytest.mark.parametrize("scale", ["days", "weeks", "months"])
def test_chart_and_table_of_readings_say_the_same(read, scale):
    """A bar a row, with the row's total in words and its zones as high as they are in it."""
    text = read.open(f"{read.here}?scale={scale}&from=2026-10-15&to=2026-11-01").text
    chart = text[text.index('<svg class="chart"') : text.index("</svg>", text.index("bars-h"))]
    columns, rows = COLUMN.findall(chart), table(text)[::-1]
    assert len(columns) == len(rows)
    for (href, title, drawn), (label, shown) in zip(columns, rows, strict=True):
        assert unescape(href).startswith(read.here.replace("readings", "profile"))
        assert words(title).startswith(label.partition(",")[0])
        assert f": {shown[-1]:.1f} кВт·ч".replace(".", ",") in words(title)
        boxes = re.findall(r'<g class="z(\d)"><rect class="bar"[^>]* height="([\d.]+)"', drawn)
        heights = {int(zone): Decimal(height) for zone, height in boxes}
        assert set(heights) == {1, 2, 3}
        t1, t3, t2, _total = shown[3:]
        # Between two parts a line of the ground is left, so a part is drawn a little lower.
        assert (heights[1] > heights[2]) == (t1 > t2)
        assert (heights[2] > heights[3]) == (t2 > t3)


@pytest.mark.clause("T6.shading")
@pytest.mark.parametrize("two", [False, True])
def test_the_shading_of_zones_is_the_contracts(open_as, store, two):
    """Each half-hour lies on the band of the zone that the schedule and the table give it."""
    made = make(store, "anna@example.org", rules=TWO if two else None)
    midnight = datetime(2026, 11, 19, 21, tzinfo=UTC)  # of a Friday in Moscow
    told(store, made, midnight, midnight + 2 * DAY)
    browser = open_as("anna@example.org")
    for on, is_weekend in ((date(2026, 11, 20), False), (date(2026, 11, 21), True)):
        here = f"/points/{made.point}/profile?from={on}&to={on}&day={on}"
        text = browser.open(here).text
        left, right = map(float, AXIS.search(text).groups())
        bands = [(int(z), float(x), float(x) + float(wide)) for z, x, wide in BAND.findall(text)]
        cells = re.findall(r'<th scope="row">\d\d:\d\d–\d\d:\d\d</th><td>T(\d)</td>', text)
        assert len(cells) == 48
        for slot, cell in enumerate(cells):
            hour = slot / 2
            if two:
                zone = 1 if not is_weekend and 8 <= hour < 21.5 else 2
            else:
                zone = 2 if hour >= 23 or hour < 7 else 3 if 10 <= hour < 17 or hour >= 21 else 1
            middle = left + (right - left) * (slot + 0.5) / 48
            assert [z for z, begin, end in bands if begin <= middle < end] == [zone]
            assert int(cell) == zone
        data = browser.open(here.replace("profile?", "profile.json?").partition("&day")[0]).json()
        assert data["zone"] == [int(cell) for cell in cells]


@pytest.mark.clause("T6.source")
def test_the_page_names_whose_half_hours_it_shows(open_as, store):
    """The meter's own go before the supplier's, which fill what the meter has not."""
    made = make(store, "anna@example.org")
    midnight = datetime(2026, 11, 16, 21, tzinfo=UTC)
    told(store, made, midnight, midnight + DAY)
    slots = tuple(
        SupplierSlot(
            starts_at=midnight + n * HALF, minutes=30, ratios_applied=True,
            energy={Channel.ACTIVE_IMPORT: Decimal("0.5")},
        )
        for n in range(2 * 48)
    )  # fmt: skip
    page = Page(items=slots, next=Cursor("t/1", "1"), more=False)
    keep_page(store, made.contract, "p1", page, NOW)
    browser = open_as("anna@example.org")

    def source(span: str) -> str:
        text = words(browser.open(f"/points/{made.point}/profile?{span}").text)
        found = re.search(r"Источник: ([^.]+)\.", text)
        return found[1] if found else ""

    assert source("from=2026-11-17&to=2026-11-17") == "прибор"
    assert source("from=2026-11-18&to=2026-11-18") == "поставщик"
    assert source("from=2026-11-17&to=2026-11-18") == "прибор, поставщик"
    assert source("from=2026-11-19&to=2026-11-19") == ""
    moscow = ZoneInfo("Europe/Moscow")
    file = browser.open(f"/points/{made.point}/profile.csv?from=2026-11-17&to=2026-11-18")
    assert "Источник;прибор, поставщик" in file.content.decode("utf-8-sig")
    assert f"{midnight.astimezone(moscow):%d.%m.%Y %H:%M}" in file.content.decode("utf-8-sig")
