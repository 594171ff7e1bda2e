"""Meters read by the real collector over bad lines, in virtual time; in full size: the proofs."""

import pytest
from proof.noise import LINES, Trial, run_trial

from corefast.crc import seal
from hub.wire.faults import Faults


@pytest.mark.parametrize(("line", "firmware"), [("bytes", "2.3.4"), ("frames", "9.0.0")])
def test_every_half_hour_arrives_and_none_is_wrong(line, firmware, tmp_path):
    out = run_trial(
        Trial(
            faults=LINES[line],
            meters=2,
            days=2,
            options={"since": "2026-10-20", "firmware": firmware},
        ),
        tmp_path,
    )
    assert (out.missing, out.wrong, out.overwritten) == (0, 0, 0)
    assert out.due == out.stored > 2 * 7 * 48
    assert out.repeats > 10
    assert out.timeouts > 0
    assert out.garbled > 0
    assert out.visits > 2 * 45


class Forger(Faults):
    """Changes the body of answers of one length and seals it again: a good check on a lie."""

    def __init__(self, data_bytes, places, *, at=frozenset({3})):
        super().__init__()
        self.length = data_bytes + 3
        self.places = places
        self.at = at
        self.seen = 0
        self.forged = 0

    def answer(self, frame):
        if len(frame) == self.length:
            self.seen += 1
            if self.seen in self.at:
                self.forged += 1
                body = bytearray(frame[:-2])
                for place, value in self.places.items():
                    body[1 + place] = value
                return 0.0, seal(bytes(body))
        return 0.0, frame


RECORD, BLOCK, LAST, CLOCK, IDENTITY, FAST, STATUS = 15, 255, 9, 8, 16, 80, 1


@pytest.mark.parametrize(
    ("what", "data_bytes", "places", "at"),
    [
        ("stamp of a record that is read alone", RECORD, {3: 0x11}, {2}),
        ("senseless stamp", RECORD, {1: 0xAA}, {2, 5, 9}),
        ("later hour, on the grid", RECORD, {1: 0x23}, {4}),
        ("stamp in a block", BLOCK, {15 * 5 + 3: 0x02}, {3}),
        ("period in a block", BLOCK, {15 * 5 + 6: 0x0F}, {3}),
        ("where the last record is", LAST, {0: 0x01, 1: 0x77}, {1, 5}),
        ("when the last record ended", LAST, {3: 0x01}, {1, 5}),
        ("counts of yesterday in a block", BLOCK, {15 * 9 + 8: 0x40}, {7}),
        ("counts of a half-hour read alone", RECORD, {8: 0x40}, {20}),
        ("clock: another month", CLOCK, {5: 0x07}, {1, 6}),
        ("clock: another hour", CLOCK, {2: 0x02}, {7}),
        ("serial number at first", IDENTITY, {0: 0x33}, {1}),
        ("serial number later", IDENTITY, {0: 0x33}, {6}),
        ("constant, in the variant", IDENTITY, {11: 0x00}, {6}),
        ("registers of all tariffs", FAST, {3: 0x77}, {1, 4, 9}),
        ("refusal of the password", STATUS, {0: 0x03}, {9}),
    ],
)
def test_a_forged_answer_is_no_value(what, data_bytes, places, at, tmp_path):
    forger = Forger(data_bytes, places, at=frozenset(at))
    trial = Trial(
        faults=forger, meters=1, days=0.75, every_minutes=30, options={"since": "2026-10-22"}
    )
    out = run_trial(trial, tmp_path)
    assert forger.forged == len(at), what
    assert (out.missing, out.wrong, out.in_doubt) == (0, 0, 0), out.notes
    assert out.due == out.stored > 4 * 48
    assert out.visits > 36


def test_a_month_start_tells_of_a_forged_count_in_old_history(tmp_path):
    forger = Forger(BLOCK, {15 * 9 + 8: 0x40}, at=frozenset({35}))
    trial = Trial(
        faults=forger, meters=1, days=0.1, every_minutes=30, options={"since": "2026-09-28"}
    )
    out = run_trial(trial, tmp_path)
    assert forger.forged == 1
    assert out.revised == 1
    assert (out.missing, out.wrong, out.in_doubt) == (0, 0, 0), out.notes
