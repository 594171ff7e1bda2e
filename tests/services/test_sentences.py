"""Events in words: every kind in both languages, numbers computed, plurals right, plain text."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.clock import MeterTime
from hub.domain.events import KINDS, Group, Severity, kind_of
from hub.domain.journal import JournalEntry
from hub.locale import LANGUAGES, NBSP, gettext, language
from hub.services.events import EventView
from hub.services.sentences import (
    GROUPS,
    SEVERITIES,
    TITLES,
    Happening,
    Named,
    duration,
    headline,
    kind_title,
    of_entry,
    of_view,
    sentence,
)

BEGAN = datetime(2026, 11, 12, 14, 3, 10)
TODAY = date(2026, 11, 24)
FACTS = {
    "phase": "2",
    "tariff": "3",
    "before": "2026-11-12T14:03:10",
    "after": "2026-11-12T14:06:30",
    "shift_s": "200",
    "drift_s": "-12.4",
    "threshold_s": "5",
    "reason": "by_meter",
    "times": "13",
    "map": "00 21 00 00 00 00 00 00",
    "parameters": "05 0C",
    "faults": "E-01 E-03",
    "appeared": "E-01",
    "gone": "E-47",
    "status_word": "00 00 00 00 05 00",
    "serial_before": "00000001",
    "serial_after": "00000002",
}


@pytest.fixture(params=LANGUAGES)
def spoken(request):
    token = language.set(request.param)
    yield request.param
    language.reset(token)


@pytest.fixture
def russian():
    token = language.set("ru")
    yield
    language.reset(token)


@pytest.fixture
def english():
    token = language.set("en")
    yield
    language.reset(token)


def happening(kind: str, lasted: timedelta | None = None, **more) -> Happening:
    facts = {name: FACTS[name] for name in kind_of(kind).fields}
    event = Happening(
        kind=kind,
        began=BEGAN,
        ended=None if lasted is None else BEGAN + lasted,
        lasted=lasted,
        detail=facts,
        book="Питание" if language.get() == "ru" else "Power supply",
    )
    return replace(event, **more)


def said(kind: str, lasted: timedelta | None = None, **more) -> str:
    return sentence(happening(kind, lasted, **more), TODAY).replace(NBSP, " ")


# -- all of them -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"lasted": timedelta(minutes=5, seconds=12)},
        {"lasted": timedelta()},
        {"lasted": timedelta(hours=-1)},
        {"end_unknown": True},
        {"shown": BEGAN + timedelta(hours=1)},
        {"detail": {}},
    ],
    ids=["open", "closed", "instant", "backwards", "end unknown", "clock", "no facts"],
)
def test_every_kind_has_a_sentence_in_every_language(kind, more, spoken):
    more = dict(more)
    lasted = more.pop("lasted", None)
    for text in (
        said(kind, lasted, **more),
        headline(happening(kind, lasted, **more)),
        kind_title(kind),
    ):
        assert not re.search(r"[%<>{}_]|None|  ", text), text
        assert text == text.strip()
        assert text[0].isupper() or text[0].isdigit()
        assert bool(re.search("[а-яе]", text)) == (spoken == "ru"), text


def test_titles_severities_and_groups_are_whole(spoken):
    assert set(TITLES) == set(KINDS)
    assert set(SEVERITIES) == set(Severity)
    assert set(GROUPS) == set(Group)
    words = [gettext(each) for each in (*TITLES.values(), *SEVERITIES.values(), *GROUPS.values())]
    assert all(bool(re.search("[а-яе]", word)) == (spoken == "ru") for word in words)
    assert len({kind_title(kind) for kind in KINDS}) == len(KINDS)


# -- Russian -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "lasted", "text"),
    [
        ("phase_voltage_lost", timedelta(minutes=5, seconds=12),
         "12 ноября в 14:03 пропало напряжение на фазе B, на 5 минут 12 секунд"),
        ("power_lost", None, "12 ноября в 14:03 пропало питание, и это еще продолжается"),
        ("case_opened", timedelta(days=1, hours=2, minutes=1),
         "12 ноября в 14:03 вскрыт корпус счетчика, на 1 день 2 часа 1 минуту"),
        ("clock_corrected", None, ("12 ноября в 14:03 часы переведены на 3 минуты 20 секунд "
         "вперед, с 14:03:10 на 14:06:30")),
        ("clock_drifted", None, ("12 ноября в 14:03 часы счетчика отстают на 12 секунд, "
         "это больше допуска в 5 секунд")),
        ("clock_correction_refused", None, ("12 ноября в 14:03 часы не исправлены: "
         "часы счетчика отстают на 12 секунд; счетчик отказал")),
        ("parameters_written", None, "12 ноября параметры записывались 13 раз (номера 05, 0C)"),
        ("self_test_changed", None, ("12 ноября в 14:03 изменился результат самодиагностики: "
         "появились E-01; исчезли E-47")),
        ("energy_limit_exceeded", None, "12 ноября в 14:03 превышен лимит энергии по тарифу 3"),
        ("voltage_above_normal", timedelta(seconds=-90),
         ("12 ноября в 14:03 напряжение фазы B поднялось выше нормы, "
         "до 12 ноября 14:01 по часам, которые перевели назад")),
    ],
)  # fmt: skip
def test_russian_sentences(kind, lasted, text, russian):
    assert said(kind, lasted) == text


def test_what_is_lost_is_said_with_its_bounds(russian):
    lost = Happening(
        kind="journal_lost",
        began=datetime(2026, 11, 1, 8, 0),
        ended=datetime(2026, 11, 3, 10, 15),
        detail={"after": "2026-11-01T08:00:00", "before": "2026-11-03T10:15:00"},
        book="Питание",
    )
    whole = "Журнал «Питание»: записи с 1 ноября 08:00 до 3 ноября 10:15 утрачены"
    assert sentence(lost, TODAY).replace(NBSP, " ") == whole
    open_ended = replace(lost, detail={"before": "2026-11-03T10:15:00"})
    half = "Журнал «Питание»: записи до 3 ноября 10:15 утрачены"
    assert sentence(open_ended, TODAY).replace(NBSP, " ") == half


@pytest.mark.parametrize(
    ("shown", "beside"),
    [
        (BEGAN, ""),
        (BEGAN + timedelta(seconds=60), ""),
        (BEGAN + timedelta(seconds=61), " (14:04 по часам счетчика)"),
        (BEGAN - timedelta(seconds=61), " (14:02 по часам счетчика)"),
        (BEGAN + timedelta(hours=12), " (13 ноября 02:03 по часам счетчика)"),
        (BEGAN - timedelta(days=3650), " (14 ноября 2016 14:03 по часам счетчика)"),
    ],
)
def test_the_meter_s_clock_stands_beside_where_it_differs(shown, beside, russian):
    text = said("power_lost", timedelta(seconds=1), shown=shown)
    assert text == f"12 ноября в 14:03{beside} пропало питание, на 1 секунду"


def test_another_year_is_said(russian):
    event = happening("maxima_reset")
    assert sentence(event).startswith(f"12{NBSP}ноября 2026 в")
    assert sentence(event, date(2027, 1, 1)).startswith(f"12{NBSP}ноября 2026 в")
    assert "2026" not in sentence(event, TODAY)


@pytest.mark.parametrize(
    ("count", "minutes", "seconds", "hours", "days"),
    [(1, "минуту", "секунду", "час", "день"), (2, "минуты", "секунды", "часа", "дня"),
     (4, "минуты", "секунды", "часа", "дня"), (5, "минут", "секунд", "часов", "дней"),
     (11, "минут", "секунд", "часов", "дней"), (12, "минут", "секунд", "часов", "дней"),
     (21, "минуту", "секунду", "час", "день"), (22, "минуты", "секунды", "часа", "дня")],
)  # fmt: skip
def test_russian_plurals(count, minutes, seconds, hours, days, russian):
    lasted = timedelta(days=count, hours=count, minutes=count, seconds=count)
    assert duration(lasted).replace(NBSP, " ") == (
        f"{count} {days} {count} {hours} {count} {minutes} {count} {seconds}"
    )


@pytest.mark.parametrize(("times", "word"), [(1, "раз"), (2, "раза"), (5, "раз"), (21, "раз")])
def test_russian_times(times, word, russian):
    text = said("parameters_written", detail={"times": str(times)})
    assert text == f"12 ноября параметры записывались {times} {word}"


# -- English -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "lasted", "text"),
    [
        ("phase_voltage_lost", timedelta(minutes=1, seconds=12), ("On 12 November at 14:03 "
         "the voltage of phase B was lost, for 1 minute 12 seconds")),
        ("clock_corrected", None, ("On 12 November at 14:03 the meter's clock was moved forward by "
         "3 minutes 20 seconds, from 14:03:10 to 14:06:30")),
        ("magnetic_field", None,
         "On 12 November at 14:03 the meter was in a magnetic field, and it goes on"),
        ("parameters_written", None,
         "On 12 November parameters were written 13 times (numbers 05, 0C)"),
        ("meter_replaced", None,
         "On 12 November at 14:03 meter 00000001 was replaced by meter 00000002"),
    ],
)  # fmt: skip
def test_english_sentences(kind, lasted, text, english):
    assert said(kind, lasted) == text


def test_a_headline_stands_beside_its_time(english):
    assert (
        headline(happening("power_lost", timedelta(hours=2))) == "The power was lost, for 2 hours"
    )


def test_a_clock_that_was_set_back_over_midnight_names_the_days(english):
    moved = {"before": "2026-11-12T00:01:00", "after": "2026-11-11T23:59:00", "shift_s": "-120"}
    assert said("clock_corrected", detail=moved).endswith(
        "was moved back by 2 minutes, from 12 November 2026 00:01:00 to 11 November 2026 23:59:00"
    )


def test_a_self_test_without_a_record_before_says_what_holds(english):
    word = "On 12 November at 14:03 the self-test"
    assert said("self_test_changed", detail={"faults": "E-02"}) == f"{word} changed: faults E-02"
    assert said("self_test_changed", detail={"faults": ""}) == f"{word} found no faults"
    text = said("self_test_changed", detail={"faults": "", "appeared": "", "gone": "E-02"})
    assert text == f"{word} changed: gone E-02"


def test_codes_of_the_self_test_are_told_with_their_meaning(russian):
    text = said("self_test_changed", faults={"E-01": "battery below 2.2 V"})
    assert text == (
        "12 ноября в 14:03 изменился результат самодиагностики: "
        "появились E-01 (напряжение батареи ниже 2,2 В); исчезли E-47"
    )


# -- what is not known -------------------------------------------------------------------------


def test_unknown_entries_show_their_raw_bytes(english):
    event = happening("unknown", raw=b"\x09\x51\xff")
    expected = "On 12 November at 14:03 an unknown entry in journal “Power supply”: 09 51 FF"
    assert sentence(event, TODAY).replace(NBSP, " ") == expected
    other = happening("tea_spilt", detail={"cups": "2"})
    assert sentence(other, TODAY).replace(NBSP, " ") == (
        "On 12 November at 14:03 an unknown entry tea_spilt in journal “Power supply”: cups 2"
    )


def test_journals_have_the_titles_of_their_driver(russian):
    began = MeterTime(BEGAN)
    entry = JournalEntry("77", "unknown", began, raw=b"\x01")
    assert "журнале «Magnets»" in sentence(of_entry(entry, Named(books={"77": "Magnets"})))
    assert "журнале «77»" in sentence(of_entry(entry))
    assert "журнале «Магнитное поле»" in sentence(
        of_entry(entry, Named(books={"77": "Magnetic field"}))
    )


def test_a_stored_event_is_told_in_its_point_s_zone(russian):
    began_at = datetime(2026, 11, 12, 11, 3, 10, tzinfo=UTC)
    zone = ZoneInfo("Asia/Yekaterinburg")
    entry = JournalEntry(
        "04", "phase_voltage_lost", MeterTime(BEGAN), MeterTime(BEGAN), {"phase": "2"}
    )
    ended_at = began_at + timedelta(hours=1)  # the clock was set back meanwhile
    view = EventView(
        id=1, meter_id=1, serial="1", source="meter", entry=entry, severity=Severity.WARNING,
        group=Group.VOLTAGE, phase=2, began_at=began_at, began_local=began_at.astimezone(zone),
        ended_at=ended_at, ended_local=ended_at.astimezone(zone), end_unknown=False,
        first_seen_at=ended_at,
    )  # fmt: skip
    assert sentence(of_view(view), TODAY).replace(NBSP, " ") == (
        "12 ноября в 16:03 (14:03 по часам счетчика) пропало напряжение на фазе B, на 1 час"
    )


@given(
    st.text(max_size=12),
    st.dictionaries(st.sampled_from([*FACTS, "x"]), st.text(max_size=12)),
    st.one_of(st.none(), st.timedeltas(timedelta(days=-400), timedelta(days=4000))),
    st.sampled_from([*KINDS, ""]),
    st.sampled_from(LANGUAGES),
)
def test_whatever_a_driver_tells_there_is_a_sentence(name, detail, lasted, kind, spoken):
    token = language.set(spoken)
    event = happening(kind or name, lasted, detail=detail)
    assert sentence(event, TODAY)
    language.reset(token)
