"""Faults: read from words, the same with the same seed, and counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corefast.crc import is_sealed, seal
from hub.errors import BadLine
from hub.wire.faults import Faults

FRAME = bytes(range(40))


def test_words_become_faults():
    faults = Faults.parse(
        [
            "loss=0.01",
            "bit=0.005",
            "latency=0.2",
            "late=1",
            "late-by=2.5",
            "echo=1",
            "half=0",
            "leading_ff=0.5",
            "damage=1e-2",
            "seed=7",
        ]
    )
    assert (faults.loss, faults.bit, faults.latency, faults.late) == (0.01, 0.005, 0.2, 1.0)
    assert (faults.late_by, faults.half, faults.leading_ff) == (2.5, 0.0, 0.5)
    assert faults.damage == 0.01
    assert faults.echo is True


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fire=1", "no fault 'fire'"),
        ("loss", "no number"),
        ("loss=much", "no number"),
        ("loss=1.5", "out of range"),
        ("loss=-1", "out of range"),
        ("latency=nan", "out of range"),
        ("", "no fault"),
    ],
)
def test_nonsense_gets_a_sentence(text, says):
    with pytest.raises(BadLine, match=says):
        Faults.parse([text])


def journey(faults, frames=400):
    return [(faults.request(FRAME), faults.answer(FRAME)) for _ in range(frames)]


def test_the_same_seed_is_the_same_noise():
    words = ["loss=0.1", "bit=0.1", "damage=0.01", "half=0.1", "late=0.1", "leading_ff=0.1"]
    first = journey(Faults.parse(words, seed=3))
    assert first == journey(Faults.parse([*words, "seed=3"]))
    assert first != journey(Faults.parse(words, seed=4))


def test_no_faults_change_nothing():
    assert journey(Faults(), 3) == [(FRAME, (0.0, FRAME))] * 3


def test_every_kind_does_what_it_says_and_is_counted():
    witnessed = []
    faults = Faults(bit=1.0, witness=lambda *frames: witnessed.append(frames))
    arrived = faults.request(FRAME)
    assert sum((a ^ b).bit_count() for a, b in zip(arrived, FRAME, strict=True)) == 1
    assert witnessed == [(FRAME, arrived)]
    assert Faults(loss=1.0).answer(FRAME) is None
    assert Faults(half=1.0).answer(FRAME) == (0.0, FRAME[:20])
    assert Faults(late=1.0, late_by=2.0, latency=0.5).answer(FRAME) == (2.5, FRAME)
    _delay, arrived = Faults(leading_ff=1.0).answer(FRAME)
    assert arrived.lstrip(b"\xff") == FRAME
    assert arrived != FRAME
    damaged = Faults(damage=1.0).request(FRAME)
    assert all(a != b for a, b in zip(damaged, FRAME, strict=True))


@given(st.integers(0, 2**32), st.sampled_from(["loss", "damage_frame"]))
def test_rates_are_about_right(seed, kind):
    rate = 0.1
    faults = Faults(loss=rate, seed=seed) if kind == "loss" else Faults(bit=rate, seed=seed)
    for _ in range(2000):
        faults.request(FRAME)
    hit = faults.counts.lost + faults.counts.damaged
    assert faults.counts.carried == 2000
    assert 110 < hit < 300  # five sigma around 200


def runs(arrived):
    """Where the first and the last changed byte are, and how many changed."""
    changed = [place for place in range(len(FRAME)) if arrived[place] != FRAME[place]]
    return changed[0], changed[-1], len(changed)


def test_bursts_replace_runs_of_bytes():
    faults = Faults(burst=1.0, burst_bytes=6, seed=5)
    spans = []
    for _ in range(300):
        arrived = faults.request(FRAME)
        assert len(arrived) == len(FRAME)
        if arrived != FRAME:
            spans.append(runs(arrived))
    assert max(count for _, _, count in spans) > 6  # two bursts
    assert min(count for _, _, count in spans) < 3
    assert {first for first, _, _ in spans} > set(range(30))
    assert faults.counts.bursts > 300
    assert faults.counts.damaged == len(spans)
    # one byte at most is one byte
    one = Faults(burst=1.0, burst_bytes=1)
    hit = [arrived for arrived in (one.request(FRAME) for _ in range(50)) if arrived != FRAME]
    assert {runs(arrived)[2] for arrived in hit} == {1, 2}


def test_bursts_pass_a_check_of_16_bits_now_and_then():
    """What a test of the driver has to live with: one damaged frame in 65,536 looks right."""
    frame = seal(FRAME)
    faults = Faults(burst=1.0, seed=1)
    frames = (faults.answer(frame)[1] for _ in range(300_000))
    passed = sum(arrived != frame and is_sealed(arrived) for arrived in frames)
    assert 1 <= passed < 20


def test_an_answer_may_bear_another_address_and_a_right_check():
    faults = Faults(address=1.0)
    for frame in (seal(FRAME), FRAME):
        _, arrived = faults.answer(frame)
        assert arrived[0] != frame[0]
        assert arrived[1:-2] == frame[1:-2]
        assert is_sealed(arrived) == is_sealed(frame)
    assert faults.counts.readdressed == 2
    assert faults.request(FRAME) == FRAME


def test_busy_meters_answer_nothing_for_a_while():
    faults = Faults.parse(["busy=0.05", "busy_for=4", "seed=2"])
    heard = "".join(".x"[faults.request(FRAME) is None] for _ in range(1000)).rstrip("x")
    assert set(filter(None, heard.split("."))) <= {"x" * 4 * times for times in (1, 2, 3)}
    assert faults.counts.unheard >= heard.count("x") > 40
    assert Faults.parse(["busy_for=0.5"]).busy_for == 1


@given(st.binary(min_size=1, max_size=300), st.integers(0, 2**32))
def test_faults_carry_any_frame(frame, seed):
    faults = Faults(burst=0.5, address=0.5, half=0.5, busy=0.2, bit=0.2, seed=seed)
    for _ in range(5):
        faults.request(frame)
        answer = faults.answer(frame)
        assert answer is None or 0 < len(answer[1]) <= len(frame)
