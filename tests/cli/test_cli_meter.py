"""``hub meter read`` and ``hub simulate`` against the toy meter, over TCP and a pty."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import click
import pytest

from hub.cli import run
from hub.cli.meter_line import filled_settings
from hub.cli.reading import Wish, visit
from hub.errors import ContractBroken, LineDown, NotSupported
from hub.locale import speaking
from hub.plugins.api import (
    Can,
    ClockReading,
    Cursor,
    Gap,
    Identity,
    JournalEntry,
    JournalPage,
    Level,
    MeterTime,
    PluginSettings,
    ProfilePage,
    Quantity,
    Register,
    Secret,
    Slot,
    SlotMark,
    setting,
)
from hub.services.sentences import Named

NOW = "2026-11-24T10:10:00+03:00"


@pytest.fixture(scope="module")
def line(simulated):
    process, ready = simulated(
        "toymeter", "--listen", "tcp://127.0.0.1:0", "--meters", "3", "--now", NOW
    )
    assert (ready[0], ready[2:]) == ("ready", ["meters", "1-3"])
    yield ready[1]
    process.terminate()
    assert process.wait(10) == 0
    assert process.stderr.read() == ""


def read(capsys, line, what, *options, address=2):
    code = run(
        ["meter", "read", line, what, "--driver", "toymeter", "--address", str(address), "--json",
         *options]
    )  # fmt: skip
    shown = capsys.readouterr()
    assert (code, shown.err) == (0, "")
    return json.loads(shown.out)


@pytest.mark.usefixtures("toys")
def test_identity_clock_and_registers_are_the_meters(capsys, line, toymeter):
    assert read(capsys, line, "identity") == {
        "maker": "Toys", "model": "Toy 1", "serial": "T000002", "firmware": "", "made_on": None,
        "imp_per_kwh": 1000, "voltage_ratio": None, "current_ratio": None, "phases": 1,
        "traits": [],
    }  # fmt: skip
    clock = read(capsys, line, "clock")
    assert re.fullmatch(r"2026-11-24T10:1\d:\d\d", clock["shown"])
    assert clock["summer"] is None
    running = (datetime(2026, 11, 24, 10) - toymeter.START) // toymeter.HALF_HOUR
    assert read(capsys, line, "registers") == {
        "registers": [
            {
                "obis": "1.8.0", "period": "at:day:0", "unit": "Wh",
                "value": toymeter.total(2, running - 20),
            },
            {"obis": "1.8.0", "period": "now", "unit": "Wh", "value": toymeter.total(2, running)},
        ]
    }  # fmt: skip


@pytest.mark.usefixtures("toys")
def test_whole_profile_equals_the_virtual_meters_counts(capsys, line, toymeter):
    profile = read(capsys, line, "profile", address=3)
    running = (datetime(2026, 11, 24, 10) - toymeter.START) // toymeter.HALF_HOUR
    expected = {
        (toymeter.START + number * toymeter.HALF_HOUR).isoformat(timespec="minutes"): (
            toymeter.count(3, number)
        )
        for number in range(running - toymeter.KEPT, running)
    }
    got = {slot["start"]: slot["counts"]["active_import"] for slot in profile["slots"]}
    assert got == expected
    assert list(got) == sorted(got)
    assert profile["milliwatt_hours_per_count"] == "1000"
    assert profile["gaps"] == []


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(
    ("options", "starts"),
    [
        (["--since", "2026-11-24T09:00"], ["09:00", "09:30"]),
        (["--since", "2026-11-23T08:00", "--until", "2026-11-23T09:00"], ["08:00", "08:30"]),
        (["--since", "2027-01-01"], []),
    ],
)
def test_span_holds_slots_that_lie_in_it(capsys, line, options, starts):
    slots = read(capsys, line, "profile", *options)["slots"]
    assert [slot["start"][11:] for slot in slots] == starts
    assert all(slot["minutes"] == 30 for slot in slots)


@pytest.mark.usefixtures("toys")
def test_tables_are_for_people(capsys, line):
    def table(what, *options):
        assert run(["meter", "read", line, what, "--driver=toymeter", "--address=1", *options]) == 0
        return capsys.readouterr().out.splitlines()

    assert table("registers")[0].split() == ["OBIS", "PERIOD", "VALUE", "UNIT"]
    assert table("identity")[2].split() == ["serial", "T000001"]
    profile = table("profile", "--since", "2026-11-24T09:30")
    assert profile[0] == "A count is 1000 mWh (mvarh)."
    assert profile[2].split()[:4] == ["2026-11-24T09:30", "30", "234", "-"]


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["LINE", "snapshot"], 1, "can't read its snapshot; it can: identity, clock, registers"),
        (["LINE", "clock", "--address=7", "--repeats=0"], 1, "No answer within"),
        (["LINE", "clock", "--address=777"], 2, "does not take 'address'"),
        (["LINE", "clock", "--setting=colour=red"], 2, "'colour'"),
        (["LINE", "clock", "--setting=colour"], 2, "is not KEY=VALUE"),
        (["LINE", "clock", "--password=111111"], 2, "takes no password"),
        (["LINE", "clock", "--since=2026-11-01"], 2, "are for the profile"),
        (["LINE", "profile", "--since=yesterday"], 2, "'yesterday' is no time"),
        (["LINE", "profile", "--since=2026-11-01T00:00+03:00"], 2, "which has no zone"),
        (["LINE", "profile", "--since=2026-11-02", "--until=2026-11-01"], 2, "must come before"),
        (["nowhere", "clock"], 2, "tcp://host:port"),
        (["tcp://127.0.0.1:1", "clock"], 1, "127.0.0.1:1"),
        (["LINE", "clock", "--driver=acme"], 1, "no driver 'acme'; installed: toymeter"),
    ],
)
def test_failures_are_one_sentence(capsys, line, arguments, code, said):
    given = [line if each == "LINE" else each for each in arguments]
    assert run(["meter", "read", "--driver=toymeter", "--address=1", *given]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert shown.err.count("\n") == 1


def test_virtual_meters_answer_on_a_pty(simulated, environment):
    process, ready = simulated("toymeter", "--serial", "--address", "5")
    assert ready[2:] == ["meters", "5"]
    assert ready[1].startswith("serial:///dev/")
    done = subprocess.run(
        [sys.executable, "-m", "hub", "meter", "read", ready[1], "identity", "--driver=toymeter",
         "--address=5", "--json"],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["serial"] == "T000005"
    process.terminate()
    assert process.wait(10) == 0


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Give either --listen LINE or --serial"),
        (["--serial", "--listen=tcp://127.0.0.1:0"], 2, "either"),
        (["--serial", "--now=soon"], 2, "'--now soon' is no instant"),
        (["--serial", "--fault=gremlins=1"], 2, "no fault 'gremlins'"),
        (["--serial", "--option=x"], 2, "is not KEY=VALUE"),
        (["--listen=udp://127.0.0.1:0"], 2, "not a line"),
    ],
)
def test_simulate_refuses_in_one_sentence(capsys, arguments, code, said):
    assert run(["simulate", "toymeter", *arguments]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err


# -- what a driver may say, without a line -----------------------------------------------------


class Driver:
    """Answers at once with what it was given."""

    def __init__(self, **answers):
        self.answers = answers
        self.closed = 0
        self.pages = 0

    async def open(self, level):
        self.level = level

    async def identify(self):
        return Identity(maker="Acme", model="Acme 1", serial="007")

    def can(self, identity):
        return frozenset(Can)

    async def close(self):
        self.closed += 1
        raise LineDown

    def learned(self):
        return {}

    async def read_clock(self):
        return self.answers["clock"]

    def registers(self):
        return frozenset()

    async def read_registers(self, wanted):
        raise ZeroDivisionError("by design")

    async def read_snapshot(self):
        return self.answers["snapshot"]

    async def read_profile(self, since, span=None):
        self.pages += 1
        return self.answers["pages"][self.pages - 1]

    def books(self):
        return frozenset({"02", "01"})

    async def read_journal(self, book, since):
        return self.answers["books"][book]


def talk(driver, what, **wish):
    conversation = visit(driver, Level.READ, Wish(what=what, **wish), lambda reached: None)
    with pytest.raises(StopIteration) as end:
        conversation.send(None)
    return end.value.value


@pytest.mark.parametrize(
    ("summer", "base", "drift"), [(None, 180, 0.5), (False, 180, 0.5), (True, 120, 0.5)]
)
def test_drift_is_measured_with_half_the_round_trip(summer, base, drift):
    asked = datetime(2026, 11, 24, 7, 0, 0, tzinfo=UTC)
    shown = MeterTime(datetime(2026, 11, 24, 10, 0, 1, 500000), summer)
    reading = ClockReading(shown, asked, asked + timedelta(seconds=2))
    assert talk(Driver(clock=reading), "clock", clock_base=base)["drift_s"] == drift


def test_numbers_that_are_not_whole_are_strings():
    read = {
        Register("32.7.0"): Quantity(Decimal("230.10"), "V"),
        Register("1.7.0"): Quantity(Decimal(-5), "W"),
    }
    assert talk(Driver(snapshot=read), "snapshot") == {
        "values": [
            {"obis": "1.7.0", "value": -5, "unit": "W"},
            {"obis": "32.7.0", "value": "230.10", "unit": "V"},
        ]
    }


def page(*slots, scale=Fraction(1000, 3), more=False, at="1", gaps=()):
    return ProfilePage(
        slots=slots,
        milliwatt_hours_per_count=scale,
        gaps=gaps,
        next=Cursor("acme/1", at),
        more=more,
    )


SLOT = Slot(
    MeterTime(datetime(2026, 11, 24, 0, 0), summer=True),
    30,
    (1, None, 0, 4),
    SlotMark.PARTIAL | SlotMark.CLOCK_MOVED,
)


def test_profile_of_pages_is_one():
    gap = Gap(None, MeterTime(datetime(2026, 11, 23, 23, 30)))
    driver = Driver(pages=[page(SLOT, more=True, gaps=(gap,)), page(scale=Fraction(1), at="2")])
    assert talk(driver, "profile") == {
        "milliwatt_hours_per_count": "1000/3",
        "slots": [
            {
                "start": "2026-11-23T23:30",
                "minutes": 30,
                "summer": True,
                "counts": {
                    "active_import": 1,
                    "active_export": None,
                    "reactive_import": 0,
                    "reactive_export": 4,
                },
                "flags": ["partial", "clock_moved"],
            }
        ],
        "gaps": [{"from": None, "to": "2026-11-23T23:30"}],
    }


def test_a_slot_that_ends_after_until_is_no_gap():
    ends = SLOT.ends.face
    began = Gap(MeterTime(ends), MeterTime(ends + timedelta(minutes=10)))
    missing = Gap(MeterTime(ends - timedelta(hours=3)), MeterTime(ends - timedelta(hours=2)))
    driver = Driver(pages=[page(SLOT, gaps=(missing, began))])
    found = talk(driver, "profile", until=began.ends.face)
    assert found["gaps"] == [{"from": "2026-11-23T21:00", "to": "2026-11-23T22:00"}]


def refuses(driver, what, error, words, **wish):
    conversation = visit(driver, Level.READ, Wish(what=what, **wish), lambda reached: None)
    with pytest.raises(error, match=words):
        conversation.send(None)
    assert driver.closed == 1


def test_two_scales_are_not_mixed():
    pages = [page(SLOT, more=True), page(SLOT, scale=Fraction(1), at="2")]
    refuses(Driver(pages=pages), "profile", NotSupported, "--until 2026-11-24T00:00:00")


def test_driver_that_does_not_go_on_is_stopped():
    refuses(Driver(pages=[page(more=True)] * 3), "profile", ContractBroken, "does not go on")


def test_goodbye_is_said_after_a_failure_and_does_not_hide_it():
    refuses(Driver(), "registers", ZeroDivisionError, "by design")


AT = datetime(2026, 11, 1, 10, 30, 5)
JOURNALS = {
    "01": JournalPage(
        entries=(),
        lost=Gap(MeterTime(AT), MeterTime(AT + timedelta(hours=1))),
        next=Cursor("acme/1", ""),
        more=False,
    ),
    "02": JournalPage(
        entries=(
            JournalEntry("02", "magnetic_field", MeterTime(AT), MeterTime(AT + timedelta(hours=1))),
            JournalEntry("02", "acme_hiccup", MeterTime(AT), detail={"by": "5 s"}, raw=b"\x2a"),
            JournalEntry("02", "power_lost", MeterTime(AT + timedelta(hours=2))),
        ),
        next=Cursor("acme/1", ""),
        more=False,
    ),
}


def test_journal_is_in_words():
    with speaking("en"):
        told = talk(Driver(books=JOURNALS), "journal", terms=Named(books={"01": "Power supply"}))
    assert told["lost"] == [
        {
            "book": "01",
            "from": "2026-11-01T10:30",
            "to": "2026-11-01T11:30",
            "text": "Journal “Power supply”: entries from 1 November 2026 10:30 to "
            "1 November 2026 11:30 are lost",
        }
    ]
    assert told["events"][0] == {
        "book": "02",
        "kind": "magnetic_field",
        "began": "2026-11-01T10:30:05",
        "ended": "2026-11-01T11:30:05",
        "detail": {},
        "text": "On 1 November 2026 at 10:30 the meter was in a magnetic field, for 1 hour",
    }
    assert told["events"][1]["text"] == (
        "On 1 November 2026 at 10:30 an unknown entry acme_hiccup in journal “02”: by 5 s, 2A"
    )
    with speaking("ru"):
        told = talk(Driver(books=JOURNALS), "journal")
    assert told["events"][0]["text"] == (
        "1 ноября 2026 в 10:30 обнаружено магнитное поле, на 1 час"
    )


@pytest.mark.parametrize(
    ("since", "until", "kinds"),
    [
        (AT + timedelta(minutes=30), None, ["magnetic_field", "power_lost"]),
        (AT + timedelta(hours=1), None, ["power_lost"]),
        (AT + timedelta(hours=9), None, ["power_lost"]),
        (None, AT, []),
        (None, AT + timedelta(hours=1), ["magnetic_field", "acme_hiccup"]),
    ],
)
def test_span_chooses_the_events_that_were_going_on(since, until, kinds):
    told = talk(Driver(books=JOURNALS), "journal", since=since, until=until)
    assert [event["kind"] for event in told["events"]] == kinds
    assert len(told["lost"]) == (since is None or since < AT + timedelta(hours=1)) - (until == AT)


def test_journals_can_be_chosen():
    told = talk(Driver(books=JOURNALS), "journal", books=["02"])
    assert not told["lost"]
    assert len(told["events"]) == 3
    refuses(Driver(books=JOURNALS), "journal", NotSupported, "it has: 01, 02", books=["77"])


class TwoPasswords(PluginSettings):
    address: int = setting(1, label="a")
    reader: Secret = setting("111111", label="b")
    owner: Secret | None = setting(None, label="c")


@pytest.mark.parametrize(
    ("level", "reader", "owner"), [(1, "secret", None), (2, "111111", "secret")]
)
def test_password_goes_to_the_secret_of_its_level(level, reader, owner):
    spec = SimpleNamespace(id="acme", settings=TwoPasswords)
    filled = filled_settings(spec, {"address": 3}, "secret", level)
    assert str(getattr(filled.reader, "get_secret_value", lambda: filled.reader)()) == reader
    assert (filled.owner and filled.owner.get_secret_value()) == owner


def test_unknown_setting_names_those_known():
    spec = SimpleNamespace(id="acme", settings=TwoPasswords)
    with pytest.raises(click.UsageError, match="it knows address, reader, owner"):
        filled_settings(spec, {"colour": "red"}, None, 1)
