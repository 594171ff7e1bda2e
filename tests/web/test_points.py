"""Pages of points over a real store: sums to the count, gaps, season days, owners, addresses."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from html import unescape

import pytest
from litestar.testing import TestClient
from points_world import HALF, PASSWORD, kwh, make, told
from portal import PART, Browser, words

from hub.app import create_app
from hub.domain.profile import SlotMark
from hub.store import meters as stored_meters
from hub.store import readings as stored_readings
from hub.store.readings import Taken

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 16, 21, tzinfo=UTC)  # of 17 November in Moscow
DAY = timedelta(days=1)
ROW = re.compile(r"<tr[^>]*>\s*<th scope=\"row\">(.*?)</th>(.*?)</tr>", re.DOTALL)
VALUE = re.compile(r'<data value="([^"]*)">([^<]*)</data>|<td class="num[^"]*">([^<]*)</td>')


@pytest.fixture
def portal(settings, store, plugins):
    """A portal whose pages are looked at on 24 November, whatever the day of the test."""
    app = create_app(settings, store, plugins)
    made = app.state.services
    made.home.clock = made.pages.clock = lambda: NOW
    with TestClient(app, raise_server_exceptions=False) as client:
        yield lambda: client


@pytest.fixture
def owner(store):
    return make(store, "anna@example.org")


@pytest.fixture
def signed(portal, owner):
    browser = Browser(portal())
    assert browser.sign_in("anna@example.org", PASSWORD).status_code == 303
    return browser


def rows(html: str) -> dict[str, list[str | None]]:
    """The table's rows by their head: exact values, None for a dash."""
    found = {}
    for head, cells in ROW.findall(html):
        name = words(head).strip()
        values = [value or None for value, _shown, _plain in VALUE.findall(cells)]
        found.setdefault(name, values)  # a foot may carry the name of the only row
    return found


def exact(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / number.denominator


def page(signed, address: str, status: int = 200) -> str:
    answer = signed.open(address)
    assert answer.status_code == status, answer.text[:500]
    return answer.text


@pytest.fixture
def week(store, owner):
    """Seven days from 17 November on, without five half-hours of the 19th."""
    gap = {MIDNIGHT + 2 * DAY + slot * HALF for slot in range(20, 25)}
    return told(store, owner, MIDNIGHT, MIDNIGHT + 7 * DAY, without=gap)


@pytest.mark.clause("C6.address")
def test_every_page_of_a_contract_opens(signed, owner, week):
    here, point = f"/contracts/{owner.contract}", f"/points/{owner.point}"
    for address in (here, f"{here}/points", point, f"{point}/readings", f"{point}/profile"):
        text = page(signed, address)
        assert "Ким Анна Сергеевна" in text
    for scale in ("days", "weeks", "months"):
        page(signed, f"{point}/readings?scale={scale}")


@pytest.mark.clause("T3.tabs")
def test_a_smart_meter_has_five_tabs(signed, owner, week):
    text = page(signed, f"/points/{owner.point}")
    tabs = re.search(r'<nav class="tabs".*?</nav>', text, re.DOTALL)[0]
    labels = [words(one).strip() for one in re.findall(r"<a.*?</a>", tabs, re.DOTALL)]
    assert labels == [
        "Общая информация", "Показания", "Профиль мощности", "Журналы событий",
        "Трансформаторы тока и напряжения",
    ]  # fmt: skip


def test_fragments_are_parts_of_the_same_page(signed, owner, week):
    point = f"/points/{owner.point}"
    for address in (
        f"/contracts/{owner.contract}/points", point, f"{point}/readings", f"{point}/profile",
        f"{point}/profile?block=table", f"{point}/profile?block=totals",
        f"{point}/profile?block=calendar", f"/contracts/{owner.contract}?block=usage",
        f"/contracts/{owner.contract}?block=readings", f"{point}/readings?block=rows",
    ):  # fmt: skip
        part = signed.open(address, **PART)
        assert part.status_code == 200
        assert "<!doctype html>" not in part.text
        assert "hx-request" in part.headers["vary"].lower()
        body = re.sub(r"\A\s*<title>.*?</title>", "", part.text)
        squeezed = re.sub(r"\s+", "", re.sub(r'value="[0-9a-f]{128}"', "", body))
        assert squeezed in re.sub(r"\s+", "", signed.open(address).text)


@pytest.mark.clause("T6.range", "T6.channels")
def test_days_weeks_months_and_zones_are_the_counts_times_the_scale(signed, owner, week):
    point = f"/points/{owner.point}/profile?from=2026-11-17&to=2026-11-23"
    days = rows(page(signed, point))
    for number in range(7):
        at = MIDNIGHT + number * DAY
        (row,) = [row for name, row in days.items() if name.startswith(f"{17 + number} ноября")]
        assert Decimal(row[3]) == exact(kwh(week, at, at + DAY))
        assert sum(Decimal(zone) for zone in row[:3]) == Decimal(row[3])
        reactive = {moment: count // 3 for moment, count in week.items()}
        assert Decimal(row[4]) == exact(kwh(reactive, at, at + DAY))
    whole = exact(kwh(week, MIDNIGHT, MIDNIGHT + 7 * DAY))
    assert Decimal(days["Всего"][3]) == whole
    night = [at for at in week if (at + 3 * timedelta(hours=1)).hour in (23, 0, 1, 2, 3, 4, 5, 6)]
    expected = sum(exact(kwh({at: week[at]}, MIDNIGHT, MIDNIGHT + 7 * DAY)) for at in night)
    assert Decimal(days["Всего"][2]) == expected  # in reading order: T1, T3, T2
    assert Decimal(rows(page(signed, f"{point}&by=month"))["17–23 ноября"][3]) == whole
    weeks = rows(page(signed, f"{point}&by=week"))
    sunday = MIDNIGHT + 6 * DAY
    assert Decimal(weeks["17–22 ноября"][3]) == exact(kwh(week, MIDNIGHT, sunday))
    assert Decimal(weeks["23 ноября"][3]) == exact(kwh(week, sunday, sunday + DAY))


def test_what_is_fed_in_has_its_column_and_its_sum(portal, store):
    made = make(store, "roof@example.org", ratio=2)
    stored = told(store, made, MIDNIGHT, MIDNIGHT + DAY, fed=7)
    browser = Browser(portal())
    browser.sign_in("roof@example.org", PASSWORD)
    text = page(browser, f"/points/{made.point}/profile?from=2026-11-16&to=2026-11-17")
    heads = [words(head).strip() for head in re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", text)]
    assert heads == ["Период", "T1", "T3", "T2", "P+, кВт·ч", "P−, кВт·ч", "Q+, квар·ч",
                     "Максимум, кВт", "Данные"]  # fmt: skip
    (row,) = (row for name, row in rows(text).items() if name.startswith("17 "))
    fed = exact(kwh(dict.fromkeys(stored, 7), MIDNIGHT, MIDNIGHT + DAY, 2))
    assert Decimal(row[4]) == fed
    assert f'Отдача</dt><dd><span class="figure m"><data value="{fed}">' in text


def test_a_period_before_the_history_leads_to_its_first_day(signed, owner, week):
    text = page(signed, f"/points/{owner.point}/profile?from=2025-12-01&to=2025-12-03")
    (href,) = re.findall(r'<a href="([^"]+)">Данные начинаются с', text)
    assert "from=2026-11-17&amp;to=2026-11-19" in href
    assert "0/0" not in words(text)
    assert "Данные начинаются" not in page(signed, unescape(href))


@pytest.mark.clause("T6.steps")
def test_a_day_opens_to_its_48_half_hours_which_add_up(signed, owner, week):
    address = f"/points/{owner.point}/profile?from=2026-11-17&to=2026-11-23&day=2026-11-20"
    text = page(signed, address)
    found = rows(text[text.index('id="profile-table"') :])
    total = found.pop("Всего")
    assert len(found) == 48
    values = [Decimal(row[-1]) for row in found.values()]
    at = MIDNIGHT + 3 * DAY
    assert values == [exact(kwh(week, at + n * HALF, at + (n + 1) * HALF)) for n in range(48)]
    assert sum(values) == Decimal(total[-1]) == exact(kwh(week, at, at + DAY))


@pytest.mark.clause("T6.gaps")
def test_a_gap_is_never_zero(signed, owner, week):
    address = f"/points/{owner.point}/profile?from=2026-11-19&to=2026-11-19"
    text = page(signed, f"{address}&day=2026-11-19")
    found = rows(text[text.index('id="profile-table"') :])
    lacking = [name for name, row in found.items() if name != "Всего" and row[-1] is None]
    assert lacking == ["10:00–10:30", "10:30–11:00", "11:00–11:30", "11:30–12:00", "12:00–12:30"]
    assert "43 из 48 получасов" in words(text)
    assert 'class="hatched"' in text
    said = words(text)
    assert "19 ноября, 10:00–12:30" in said.replace("\N{NO-BREAK SPACE}", " ")
    data = signed.open(f"/points/{owner.point}/profile.json?from=2026-11-19&to=2026-11-19").json()
    assert [place for place, value in enumerate(data["kwh"]) if value is None] == list(
        range(20, 25)
    )
    assert [data["flag"][place] for place in (19, 20, 24, 25)] == [0, 3, 3, 0]
    assert data["p_plus"][20] is None
    assert data["p_plus"][19] == pytest.approx(2 * data["kwh"][19])


@pytest.mark.clause("T6.hour")
def test_an_hour_that_lacks_a_half_is_partial_and_keeps_its_mean(signed, owner, week):
    address = f"/points/{owner.point}/profile?from=2026-11-19&to=2026-11-19&step=60"
    data = signed.open(address.replace("profile?", "profile.json?")).json()
    assert (data["minutes"], len(data["start"])) == (60, 24)
    assert [data["flag"][hour] for hour in (9, 10, 11, 12, 13)] == [0, 3, 3, 1, 0]
    assert data["p_plus"][12] == pytest.approx(2 * data["kwh"][12])  # one half-hour is known
    assert data["p_plus"][13] == pytest.approx(data["kwh"][13])
    text = page(signed, f"{address}&day=2026-11-19")
    found = rows(text[text.index('id="profile-table"') :])
    assert len(found) == 25
    start = MIDNIGHT + 2 * DAY + 25 * HALF
    assert Decimal(found["12:00–13:00"][-1]) == exact(kwh(week, start, start + HALF))


def test_season_days_have_their_46_and_50_half_hours(portal, store):
    made = make(store, "berlin@example.org", "Europe/Berlin")
    browser = Browser(portal())
    browser.sign_in("berlin@example.org", PASSWORD)
    for day, slots in ((date(2026, 3, 29), 46), (date(2026, 10, 25), 50)):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=2)
        stored = told(store, made, start, start + timedelta(hours=30))
        local = start + timedelta(hours=1 if slots == 46 else 0)
        text = page(browser, f"/points/{made.point}/profile?from={day}&to={day}&day={day}")
        table = text[text.index('id="profile-table"') :]
        assert len(ROW.findall(table)) == slots + 1
        whole = exact(kwh(stored, local, local + slots * HALF))
        assert f'<data value="{whole.normalize():f}">' in table
        assert f"{slots} из {slots} получасов" in words(text)


def test_nobody_sees_another_ones_point(portal, store, owner, week):
    make(store, "boris@example.org")
    stranger = Browser(portal())
    stranger.sign_in("boris@example.org", PASSWORD)
    here, point = f"/contracts/{owner.contract}", f"/points/{owner.point}"
    huge = f"/points/{2**63}"
    for address in (here, f"{here}/points", point, f"{point}/readings", f"{point}/profile",
                    f"{point}/profile.json?from=2026-11-19&to=2026-11-19", huge):  # fmt: skip
        answer = stranger.open(address)
        assert answer.status_code == 404
        assert "Дом anna" not in answer.text


def test_without_signing_in_every_page_leads_to_the_door(portal, owner):
    guest = Browser(portal())
    for address in (f"/contracts/{owner.contract}", f"/points/{owner.point}/profile"):
        answer = guest.open(address)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")


@pytest.mark.parametrize(
    "query", ["from=yesterday", "from=2026-02-30&to=2026-03-01", "step=7", "by=hour", "day=x"]
)
def test_what_is_no_day_is_one_sentence(signed, owner, query):
    text = page(signed, f"/points/{owner.point}/profile?{query}", 400)
    assert "Запрос не удалось прочитать" in words(text)


@pytest.mark.parametrize(
    "query",
    ["from=0001-01-01&to=9999-12-31", "from=2026-11-23&to=2026-11-17", "from=2030-01-01",
     "to=1990-01-01"],
)  # fmt: skip
def test_odd_spans_are_kept_within_limits(signed, owner, week, query):
    text = page(signed, f"/points/{owner.point}/profile?{query}")
    page(signed, f"/points/{owner.point}/readings?{query}")
    is_turned_round = query == "from=2026-11-23&to=2026-11-17"
    assert ("Показано меньше дней" in words(text)) != is_turned_round


@pytest.mark.parametrize(
    "query",
    ["", "from=2026-11-01", "from=2026-10-01&to=2026-11-24", "from=2026-11-02&to=2026-11-01"],
)
def test_data_of_the_chart_are_a_month_at_most(signed, owner, query):
    assert signed.open(f"/points/{owner.point}/profile.json?{query}").status_code == 400


def test_addresses_of_the_toolbar_lead_on(signed, owner, week):
    text = page(signed, f"/points/{owner.point}/profile?from=2026-11-01&to=2026-11-30")
    links = {words(body).strip(): unescape(href) for href, body in
             re.findall(r'<a href="([^"]+)"[^>]*>(.*?)</a>', text, re.DOTALL)}  # fmt: skip
    assert links["Сутки"].endswith("from=2026-11-24&to=2026-11-24")
    assert links["3 дня"].endswith("from=2026-11-22&to=2026-11-24")
    assert links["Неделя"].endswith("from=2026-11-23&to=2026-11-29")
    assert links["Час"].endswith("from=2026-11-01&to=2026-11-30&step=60")
    assert "from=2026-10-01&amp;to=2026-10-31" in text  # the month before
    assert "from=2026-12-01" not in text  # nothing comes after now
    for label in ("Сутки", "3 дня", "Неделя", "Месяц", "Час", "Недели", "Месяцы"):
        page(signed, links[label])


# -- registers, home, list, information --------------------------------------------------------


def read(store, made, days: int, first=MIDNIGHT) -> None:
    taken = []
    for number in range(days):
        for place, step in enumerate((600, 400, 200), 1):
            value = 1_000_000 * place + step * number
            taken.append(Taken(f"1.8.{place}", first + number * DAY, value, day_start=True))
        taken.append(Taken("1.8.0", first + number * DAY, 6_000_000 + 1200 * number, True))
    with store.write() as unit:
        stored_readings.keep(unit, made.meter, taken)


@pytest.mark.clause("T5.registers", "T5.consumption", "T5.zones")
def test_readings_are_the_face_and_consumption_their_difference(signed, owner, week, store):
    read(store, owner, 8)
    found = rows(page(signed, f"/points/{owner.point}/readings"))
    (row,) = [row for name, row in found.items() if name == "18 ноября"]
    assert row[:3] == ["1001.2", "3000.4", "2000.8"]  # registers at its end: T1, T3, T2
    assert row[3:] == ["0.6", "0.2", "0.4", "1.2"]
    weeks = rows(page(signed, f"/points/{owner.point}/readings?scale=weeks"))
    # Nothing is known of the 16th: no registers, and of half-hours those that there are.
    assert weeks["16–22 ноября"][-1] == f"{exact(kwh(week, MIDNIGHT, MIDNIGHT + 6 * DAY)):f}"
    span = f"/points/{owner.point}/readings?scale=months&from=2026-11-17&to=2026-11-23"
    months = rows(page(signed, span))
    assert months["17–23 ноября"][3:] == ["4.2", "1.4", "2.8", "8.4"]


def test_days_without_registers_are_summed_from_half_hours(signed, owner, week):
    text = page(signed, f"/points/{owner.point}/readings?from=2026-11-16&to=2026-11-23")
    found = rows(text)
    day = MIDNIGHT
    for name in ("17 ноября", "18 ноября", "19 ноября"):
        assert found[name][:3] == [None] * 3
        assert found[name][-1] == f"{exact(kwh(week, day, day + DAY)).normalize():f}"
        assert sum(map(Decimal, found[name][3:6])) == Decimal(found[name][-1])
        day += DAY
    assert found["16 ноября"] == [None] * 7
    said = {words(head).strip(): words(cells.rsplit("<td>", 1)[-1]).strip()
            for head, cells in ROW.findall(text)}  # fmt: skip
    assert said["16 ноября"] == "Нет данных"
    assert said["17 ноября"] == said["18 ноября"] == "По получасам"
    assert said["19 ноября"] == "Неполный, 43/48"
    assert "zhatch" in text  # the bar of the 19th
    assert "331 из 384 получасов" in words(text)


def test_ratios_multiply_consumption_and_leave_the_face(portal, store):
    made = make(store, "factory@example.org", ratio=30)
    stored = told(store, made, MIDNIGHT, MIDNIGHT + DAY)
    read(store, made, 2)
    browser = Browser(portal())
    browser.sign_in("factory@example.org", PASSWORD)
    row = rows(page(browser, f"/points/{made.point}/readings"))["17 ноября"]
    assert (row[0], row[-1]) == ("1000.6", "36")
    profile = page(browser, f"/points/{made.point}/profile?from=2026-11-17&to=2026-11-17")
    whole = exact(kwh(stored, MIDNIGHT, MIDNIGHT + DAY, 30))
    assert f'<data value="{whole.normalize():f}">' in profile
    assert "×30" in profile


@pytest.mark.clause("M1.balance", "M4.balance")
def test_the_main_page_says_what_is_owed_and_what_was_used(signed, owner, week, store):
    read(store, owner, 8)
    text = words(page(signed, f"/contracts/{owner.contract}"))
    assert "К оплате на 24 ноября" in text
    assert "1 284,50 ₽" in text
    assert "T1 пик 1 004,200" in text
    month = exact(kwh(week, MIDNIGHT, MIDNIGHT + 7 * DAY))
    assert f"{month:.0f} кВт·ч" in text
    assert "НЕ ПРОЧИТАНО" in text


def test_the_contract_looked_at_last_is_kept_and_written_once(signed, owner, store):
    page(signed, f"/contracts/{owner.contract}")
    version = "PRAGMA data_version"
    with store.read() as unit:
        cursor = unit.cursor()
        cursor.execute(version)
        (before,) = cursor.fetchone()
        page(signed, f"/contracts/{owner.contract}")
        cursor.execute("SELECT last_contract_id FROM user WHERE id = ?", (owner.user,))
        assert cursor.fetchone() == (owner.contract,)
        cursor.execute(version)
        assert cursor.fetchone() == (before,)


@pytest.mark.clause("T1.list", "T1.details", "T1.back", "T10.details")
def test_every_point_of_the_list_opens_and_leads_back(signed, owner, week):
    here = f"/contracts/{owner.contract}/points"
    text = page(signed, here)
    details = re.findall(r'href="(/points/\d+)">Подробнее', text)
    assert len(details) == 2
    for href in details:
        opened = page(signed, href)
        assert f'href="{here}">' in opened
        assert "В список" in words(opened)
        assert "Общая информация" in words(opened)


@pytest.mark.clause("T3.tabs")
@pytest.mark.parametrize(
    "tab",
    ["readings", "profile", "journal", "transformers", "live", "readings.csv", "profile.xlsx",
     "journal.csv", "transformers.csv", "profile.json?from=2026-11-19&to=2026-11-19"],
)  # fmt: skip
def test_a_meter_that_people_read_has_no_page_that_would_be_empty(signed, owner, tab):
    people = owner.point + 1
    assert "Вода" in page(signed, f"/points/{people}")
    assert "Такой страницы нет" in page(signed, f"/points/{people}/{tab}", 404)


@pytest.mark.clause("T1.list")
def test_filters_of_the_list_are_offered_for_what_there_is(signed, owner, week):
    here = f"/contracts/{owner.contract}/points"
    text = page(signed, here)
    assert "Все 2" in words(text)
    assert "Передаете вы 1" in words(text)
    assert "Умные 1" in words(text)
    assert "Не на связи" not in words(text)
    only = page(signed, f"{here}?state=manual")
    assert "Вода" in only
    assert "Ввод 1" not in only
    page(signed, f"{here}?state=drunk", 400)


@pytest.mark.clause("T4.fields", "T4.unknown")
def test_all_25_fields_have_a_value_or_a_dash(portal, store):
    facts = {"model": "Меркурий 234 ART(M)", "verified_on": "2017-01-12", "power_limit": "45",
             "next_verification_on": "soon", "relay_state": "on", "norm_month": "120,5",
             "loss_factor": "0,02", "accuracy_class": "0,2S/0,5"}  # fmt: skip
    made = make(store, "facts@example.org", facts=facts)
    read(store, made, 2)
    browser = Browser(portal())
    browser.sign_in("facts@example.org", PASSWORD)
    text = page(browser, f"/points/{made.point}")
    fields = {words(name).strip(): words(value).strip() for name, value in
              re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text, re.DOTALL)}  # fmt: skip
    assert len(fields) == 25
    assert fields["Тип и модификация ТУ"] == "Меркурий 234 ART(M)"
    assert (
        fields["Последние показания"].replace("\xa0", " ")
        == "T1 – 1000,600, T2 – 2000,400, T3 – 3000,200"
    )
    assert fields["Дата последней поверки"] == "12.01.2017"
    assert fields["Дата следующей поверки"] == "–"  # «soon» is no day
    assert fields["Значение лимита мгновенной мощности"] == "45 кВт"
    assert fields["Состояние реле управления нагрузкой"] == "Включено"
    assert fields["Месячный"] == "120,5 кВт·ч"
    assert fields["Часовой"] == "–"
    assert fields["Коэффициент потерь"].startswith("1")
    assert "у поставщика 0,02" in fields["Коэффициент потерь"]


# -- history that is being read ----------------------------------------------------------------


def test_a_first_visit_that_is_not_over_is_called_so(signed, owner, store):
    point, here = f"/points/{owner.point}", f"/contracts/{owner.contract}"
    assert "Ждем первого опроса" in page(signed, point)
    told(store, owner, MIDNIGHT, MIDNIGHT + DAY, more=True)
    with store.write() as unit:
        stored_meters.state(unit, owner.meter).seen_at = None  # a visit says so at its end
    for address in (point, here, f"{here}/points", f"{here}/points?state=smart"):
        text = words(page(signed, address))
        assert "Идет первое чтение" in text
        assert "Ждем первого опроса" not in text


def test_the_strip_polls_while_history_is_read_and_then_stops(signed, owner, store):
    told(store, owner, MIDNIGHT, MIDNIGHT + 2 * DAY, more=True)
    here = f"/points/{owner.point}/profile"
    text = page(signed, here)
    (href,) = [
        unescape(found) for found in re.findall(r'data-hx-get="([^"]*block=growing[^"]*)"', text)
    ]
    same = signed.open(href, **PART)
    assert 'id="growing"' in same.text
    assert "every 3s" in same.text
    assert "hx-trigger" not in same.headers
    told(store, owner, MIDNIGHT + 2 * DAY, MIDNIGHT + 4 * DAY, more=True)
    more = signed.open(href, **PART)
    assert more.headers["hx-trigger"] == "grown"
    told(store, owner, MIDNIGHT + 4 * DAY, MIDNIGHT + 7 * DAY)
    done = signed.open(href, **PART)
    assert done.headers["hx-trigger"] == "grown"
    assert "every 3s" not in done.text
    assert "block=growing" not in page(signed, here)


def test_incomplete_records_and_a_damaged_day_are_named(signed, owner, store):
    at = MIDNIGHT + 5 * HALF
    told(store, owner, MIDNIGHT, MIDNIGHT + 3 * DAY, marks={at: SlotMark.PARTIAL})
    with store.write() as unit:
        unit.cursor().execute("UPDATE block SET body = ? WHERE day = ?", (b"\x01junk", 20774 + 1))
    text = page(signed, f"/points/{owner.point}/profile?from=2026-11-17&to=2026-11-20")
    said = words(text)
    assert "Неполных интервалов: 1." in said
    assert "повреждено" in said.lower()
