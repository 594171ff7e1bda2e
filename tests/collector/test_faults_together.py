"""Every fault of line and meter at once, read by the real collector; in full size: a proof."""

from dataclasses import replace

from proof.faults import OLD, PARTS
from proof.noise import run_trial


def test_nothing_wrong_is_stored_whatever_goes_wrong(tmp_path):
    part = replace(OLD, meters=2, days=0.4, more={"since": "2026-09-25"})
    trial = part.trial(seed=7)
    out = run_trial(trial, tmp_path)
    assert (out.missing, out.wrong, out.differing) == (0, 0, {}), out.notes
    assert out.due == out.stored > 2 * 29 * 48
    assert out.compared["registers"] > 20
    assert out.faulty > 0.03 * out.asks > 50
    happened = {kind for kind, count in out.counts.items() if count}
    assert happened == set(out.counts)
    assert trial.faults.sealed == 0


def test_the_parts_have_every_personality():
    assert {part.firmware for part in PARTS} == {"2.1.0", "2.3.4", "7.1.1", "9.0.0"}
    assert {part.memory for part in PARTS} == {"64", "131"}
    assert any(part.echo for part in PARTS)
