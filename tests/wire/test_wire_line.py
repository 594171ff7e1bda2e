"""The line: turns, quiet, late replies, repeats, echo, leases, and what may never leave."""

import asyncio
import itertools

import pytest
import wire_toy as toy
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import run_virtual
from wire_script import SERIAL, START, Scripted, on_line

from hub.domain.consent import Consent
from hub.errors import ConsentSpent, ContractBroken, FrameGarbled, LineBusy, LineDown, ReplyTimeout
from hub.plugins.api import NEED_MORE, Ask, Timing, Verdict, ask
from hub.wire.address import LineAddress
from hub.wire.capture import WireLog
from hub.wire.line import Line, quiet_s
from hub.wire.runner import run
from hub.wire.turns import Turns

ECHOING = LineAddress("serial", device="/dev/ttyUSB0", echo=True)


def seat(line, address=7, **more):
    more.setdefault("interleave", True)
    return line.seat(toy.TIMING, is_mutating=toy.is_mutating, act=toy.act, key=str(address), **more)


def read(code, address=7, **more):
    return Ask(request=toy.request(address, code), rule=toy.rule(address, code), **more)


def after(seconds, *pieces):
    """Pieces that come one behind the other, a byte time apart."""
    script = []
    for piece in pieces:
        script.append((seconds, piece))
        seconds += 0.001 * len(piece)
    return script


def one(*scripts, code=3, address=SERIAL, **line):
    """One ask over a scripted link: its frame or its error, the link, the line."""

    async def main(made, link):
        try:
            reply = await seat(made)(read(code))
        except Exception as error:  # noqa: BLE001 - looked at by the test
            return error, link, made
        return reply.frame, link, made

    return on_line(main, *scripts, address=address, **line)


# -- where a frame ends


@given(cuts=st.lists(st.integers(0, 14), max_size=6), code=st.sampled_from([3, 5, 9, 200]))
@settings(max_examples=60)
def test_any_chunking_gives_the_same_frame(cuts, code):
    frame = toy.answer(7, code)
    places = sorted({0, len(frame), *(cut for cut in cuts if cut < len(frame))})
    pieces = [frame[a:b] for a, b in itertools.pairwise(places)]
    got, _, line = one(after(0.02, *pieces), code=code)
    assert got == frame
    assert line.stats.asks == 1


def test_a_status_is_taken_only_if_the_line_stays_quiet():
    got, _, _ = one(after(0.02, toy.refusal(7)))
    assert got == toy.refusal(7)
    got, _, line = one(after(0.02, toy.refusal(7), b"\x00"), repeats=0)
    assert isinstance(got, FrameGarbled)
    assert got.received == toy.refusal(7) + b"\x00"
    assert line.stats.garbled == 1


def test_an_unsure_frame_with_more_behind_it_is_not_taken():
    def rule(data):
        return Verdict(4, sure=False) if len(data) >= 4 else NEED_MORE

    async def main(line, _link):
        return await seat(line).once(Ask(request=b"\x07\x03", rule=rule))

    with pytest.raises(FrameGarbled):
        on_line(main, after(0.02, b"\x07\x01\x02\x03\x04"))


def test_a_status_within_a_data_frame_is_not_taken():
    # the first four bytes of this answer check by themselves, as on a real meter they may
    whole = toy.refusal(7) + b"\x01\x02\x03"

    def rule(data):
        if len(data) >= len(whole):
            return Verdict(len(whole))
        return Verdict(4, sure=False) if len(data) == 4 else NEED_MORE

    async def main(line, _link):
        return await seat(line)(Ask(request=b"\x07\x03", rule=rule))

    assert on_line(main, after(0.02, whole[:4], whole[4:])).frame == whole


def test_leading_noise_is_skipped_even_long_before_the_frame():
    got, _, line = one([(0.002, b"\xff\xff"), (0.12, toy.answer(7, 3))])
    assert got == toy.answer(7, 3)
    assert line.stats.asks == 1


def test_noise_alone_is_garbled_with_its_bytes():
    got, _, _ = one([(0.002, b"\xff\xfe")], repeats=0)
    assert isinstance(got, FrameGarbled)
    assert got.received == b"\xff\xfe"


@given(st.data())
@settings(max_examples=60)
def test_a_flipped_lost_or_doubled_byte_is_never_a_value(data):
    frame = toy.answer(7, 3)
    place = data.draw(st.integers(0, len(frame) - 1))
    kind = data.draw(st.sampled_from(["bit", "lost", "doubled"]))
    bad = {
        "bit": frame[:place] + bytes([frame[place] ^ 4]) + frame[place + 1 :],
        "lost": frame[:place] + frame[place + 1 :],
        "doubled": frame[: place + 1] + frame[place:],
    }[kind]
    got, _, _ = one(after(0.02, bad), repeats=0)
    # doubling the address byte leaves a whole frame behind one byte of noise
    assert got == frame or isinstance(got, FrameGarbled | ReplyTimeout)
    if got == frame:
        assert bad.endswith(frame) or bad.startswith(frame)


def test_a_babbling_line_is_given_up():
    babble = [(0.02 + n * 0.01, b"\x07" * 8) for n in range(5000)]
    got, _, _ = one(babble, repeats=0)
    assert isinstance(got, FrameGarbled)
    assert len(got.received) < 5000


def test_a_slow_babble_is_given_up_too():
    babble = [(0.02 + n * 0.02, b"\x07") for n in range(4000)]

    async def main(line, _link):
        with pytest.raises(FrameGarbled):
            await seat(line).once(read(3))
        return asyncio.get_running_loop().time()

    assert on_line(main, babble) < 10


def test_silence_is_measured_in_characters_or_in_latency():
    slow = LineAddress("serial", device="/dev/x", baud=300)
    far = LineAddress("tcp", "gate", 1, latency_s=0.7)
    assert quiet_s(Timing(0.15, 0.005, 1), slow) == pytest.approx(4 * 10 / 300 + 0.02)
    assert quiet_s(Timing(0.15, 0.005, 1), far) == 0.7
    assert quiet_s(Timing(0.15, 0.2, 1), LineAddress("tcp", "gate", 1)) == 0.2
    port = LineAddress("serial", device="/dev/x")
    assert quiet_s(Timing(0.15, 0.005, 1, quiet_s=0.1), port) == pytest.approx(0.1 + 0.02)
    assert quiet_s(Timing(0.15, 0.005, 1, quiet_s=0.1), LineAddress("tcp", "gate", 1)) == 0.1


def test_the_wait_for_the_first_byte_counts_the_line_and_the_sending():
    async def main(line, _link):
        clock = asyncio.get_running_loop().time
        began = clock()
        with pytest.raises(ReplyTimeout):
            await seat(line).once(read(3, timeout=0.4))
        return clock() - began

    far = LineAddress("tcp", "gate", 1, latency_s=0.5, baud=300)
    waited = on_line(main, address=far)
    assert waited == pytest.approx(0.005 + 0.4 + 1.0 + 4 * 10 / 300, abs=0.006)


# -- late replies, drains, repeats


def test_a_late_reply_to_the_ask_before_is_not_taken_for_this_one():
    # the answer to code 3 comes after its time is over; code 11 has an answer of the same shape
    late = [(0.9, toy.answer(7, 3))]
    right = [(0.02, toy.answer(7, 11))]

    async def main(line, _link):
        exchange = seat(line)
        with pytest.raises(ReplyTimeout):
            await exchange.once(read(3))
        frame = (await exchange(read(11))).frame
        return frame, line.stats

    frame, stats = on_line(main, late, right)
    assert frame == toy.answer(7, 11)
    assert stats.bytes_unasked == len(toy.answer(7, 3))


def test_a_late_reply_to_a_cancelled_ask_is_not_taken_either():
    async def main(line, link):
        exchange = seat(line)
        task = asyncio.create_task(exchange(read(3)))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        frame = (await exchange(read(11))).frame
        return frame, link.sent[1][0] - link.sent[0][0]

    frame, apart = on_line(main, [(0.5, toy.answer(7, 3))], [(0.02, toy.answer(7, 11))])
    assert frame == toy.answer(7, 11)
    assert apart >= toy.TIMING.late_reply_s


def test_the_quarantine_is_of_one_address_and_others_go_on():
    async def main(line, _link):
        clock = asyncio.get_running_loop().time
        with pytest.raises(ReplyTimeout):
            await seat(line, 7).once(read(3, 7))
        began = clock()
        await seat(line, 8)(read(3, 8))
        other = clock() - began
        await seat(line, 7)(read(3, 7))
        return other, clock() - began

    other, same = on_line(main, [], [(0.02, toy.answer(8, 3))], [(0.02, toy.answer(7, 3))])
    assert other < 0.1
    assert same > 1.0


def test_the_quarantine_holds_for_whoever_waited_for_the_turn_meanwhile():
    async def main(line, link):
        first = asyncio.create_task(seat(line).once(read(3)))
        second = asyncio.create_task(seat(line).once(read(11)))
        await asyncio.wait([first, second])
        assert isinstance(first.exception(), ReplyTimeout)
        return second.result().frame, link.sent[1][0] - link.sent[0][0]

    frame, apart = on_line(main, [(0.9, toy.answer(7, 3))], [(0.02, toy.answer(7, 11))])
    assert frame == toy.answer(7, 11)
    assert apart > toy.TIMING.late_reply_s


def test_a_gap_is_kept_between_a_reply_and_the_next_request():
    async def main(line, link):
        answering(link, 2)
        await seat(line, 7)(read(3, 7))
        replied = asyncio.get_running_loop().time()
        await seat(line, 8)(read(3, 8))
        return link.sent[1][0] - replied

    assert toy.TIMING.gap_s <= on_line(main) < 2 * toy.TIMING.gap_s
    needs_more = LineAddress("serial", device="/dev/x", gap_s=0.04)
    assert on_line(main, address=needs_more) == pytest.approx(0.04)


def test_what_comes_unasked_is_logged_and_dropped():
    log = WireLog()

    async def main(line, link):
        exchange = seat(line)
        await exchange(read(3))
        link.coming = [(0.0, b"\xaa\xbb")]
        return (await exchange(read(11))).frame

    frame = on_line(main, [(0.02, toy.answer(7, 3))], [(0.02, toy.answer(7, 11))], log=log)
    assert frame == toy.answer(7, 11)
    assert any("unasked: AA BB" in line for line in log.lines())


@pytest.mark.parametrize("bad", [[], after(0.02, b"\x07\x07\x00"), after(0.02, b"\xff")])
def test_reads_are_repeated_after_silence_and_damage(bad):
    good = after(0.02, toy.answer(7, 3))
    got, link, line = one(bad, bad, good)
    assert got == toy.answer(7, 3)
    assert line.stats.repeats == 2
    got, link, line = one(bad, bad, bad, good)
    assert isinstance(got, ReplyTimeout | FrameGarbled)
    assert len(link.sent) == 3


def test_once_is_not_repeated_whatever_happens():
    async def main(line, link):
        exchange = seat(line)
        with pytest.raises(ReplyTimeout):
            await exchange.once(read(3))

        def breaks(_data):
            link.breaks = LineDown("gone")
            return []

        link.scripts.insert(0, breaks)
        with pytest.raises(LineDown, match="gone"):
            await exchange.once(read(3))
        return len(link.sent), link.closed

    assert on_line(main) == (2, 1)


def test_what_changes_a_meter_never_leaves():
    async def marked():
        await ask(toy.request(7, 3), toy.rule(7, 3), mutating=True)

    async def hidden():
        await ask(toy.request(7, toy.CHANGE), toy.rule(7, toy.CHANGE))

    async def late_built():
        await ask(lambda _at: toy.request(7, toy.CHANGE), toy.rule(7, toy.CHANGE))

    async def main(line, link):
        for talk in (marked, hidden, late_built):
            with pytest.raises(ContractBroken, match="changes the meter"):
                await run(talk(), seat(line), deadline=60)
        return link.sent

    assert on_line(main) == []


class Held:
    """A consent that can be spent once."""

    def __init__(self, act=toy.CHANGES, spent=False):
        self.consent = Consent(
            act=act,
            target="7",
            actor="tester",
            reason="to see",
            until=START,
        )
        self.spent = [spent]

    async def spend(self):
        spent, self.spent[0] = self.spent[0], True
        return not spent


async def changes(times=1, code=toy.CHANGE):
    """Read, change, and read back."""
    frames = [await toy.read(7, 3)]
    frames += [await toy.read(7, code, mutating=True) for _ in range(times)]
    return [*frames, await toy.read(7, 4)]


def test_a_consented_change_leaves_once_and_spends_its_consent_first():
    async def main(line, link):
        held = Held()
        first = await run(changes(times=2), seat(line), deadline=60, consent=held)
        with pytest.raises(ConsentSpent):
            await run(changes(), seat(line), deadline=60, consent=held)
        return len(first), [frame[1] for _, frame in link.sent]

    scripts = [after(0.02, toy.answer(7, code)) for code in (3, toy.CHANGE, toy.CHANGE, 4, 3)]
    assert on_line(main, *scripts) == (4, [3, toy.CHANGE, toy.CHANGE, 4, 3])


def test_a_consent_to_another_act_lets_nothing_leave():
    async def main(line, link):
        with pytest.raises(ContractBroken, match="leave for 'paint' only"):
            await run(changes(), seat(line), deadline=60, consent=Held(act="paint"))
        with pytest.raises(ContractBroken, match="while reading"):
            await run(changes(code=3), seat(line), deadline=60)
        return [frame[1] for _, frame in link.sent]

    assert on_line(main, *[after(0.02, toy.answer(7, 3))] * 2) == [3, 3]


def test_a_change_without_answer_is_never_repeated():
    async def main(line, link):
        with pytest.raises(ReplyTimeout):
            await run(changes(), seat(line), deadline=60, consent=Held())
        return [frame[1] for _, frame in link.sent]

    assert on_line(main, after(0.02, toy.answer(7, 3))) == [3, toy.CHANGE]


def test_a_request_may_be_built_at_the_instant_of_sending():
    built = []

    def build(at):
        built.append(at)
        return toy.request(7, 3)

    async def main(line, _link):
        return await seat(line)(Ask(request=build, rule=toy.rule(7, 3)))

    reply = on_line(main, [], after(0.02, toy.answer(7, 3)))
    assert len(built) == 2
    assert reply.sent_at == built[1]
    assert 0.015 < (reply.received_at - reply.sent_at).total_seconds() < 0.03


def test_a_broken_request_or_rule_is_the_plugins_fault():
    def explodes(_bytes):
        raise IndexError("boom")

    async def main(line, _link):
        for step in (
            Ask(request=explodes, rule=toy.rule(7, 3)),
            Ask(request=b"", rule=toy.rule(7, 3)),
            Ask(request=b"\x07\x01", rule=explodes),
            Ask(request=b"\x07\x01", rule=lambda data: Verdict(len(data) + 1)),
            Ask(request=b"\x07\x01", rule=lambda data: Verdict(skip=len(data) + 1)),
        ):
            with pytest.raises(ContractBroken):
                await seat(line)(step)

    on_line(main, *[after(0.02, b"\x07\x07")] * 5)


def test_a_broadcast_waits_for_nobody():
    async def main(line, link):
        reply = await seat(line)(Ask(request=b"\xfe\x03\x08\x00\x00", rule=None))
        return reply.frame, len(link.sent)

    assert on_line(main) == (b"", 1)


# -- echo


@given(cut=st.integers(1, 3), glued=st.booleans())
@settings(max_examples=8)
def test_the_echo_is_cut_by_exact_match(cut, glued):
    sent, reply = toy.request(7, 3), toy.answer(7, 3)
    script = after(0.004, sent + reply) if glued else after(0.004, sent[:cut], sent[cut:], reply)
    got, _, _ = one(script, address=ECHOING)
    assert got == reply


def test_an_echo_with_no_reply_is_a_timeout():
    got, _, line = one(after(0.004, toy.request(7, 3)), address=ECHOING, repeats=0)
    assert isinstance(got, ReplyTimeout)
    assert line.stats.timeouts == 1


def test_a_reply_that_equals_the_request_is_read_behind_its_echo():
    sent = b"\x07\x00"

    async def main(line, _link):
        return await seat(line)(
            Ask(request=sent, rule=lambda data: Verdict(2) if len(data) == 2 else NEED_MORE)
        )

    assert on_line(main, after(0.004, sent, sent), address=ECHOING).frame == sent


# -- turns


def busy(codes, address):
    async def talk():
        for code in codes:
            await toy.read(address, code)

    return talk()


def order_of(link):
    return [frame[0] for _, frame in link.sent]


def answering(link, times):
    link.scripts = [lambda data: after(0.01, toy.answer(data[0], data[1]))] * times


def test_two_meters_take_turns():
    async def main(line, link):
        answering(link, 8)
        await asyncio.gather(
            run(busy([3] * 4, 7), seat(line, 7), deadline=99),
            run(busy([3] * 4, 8), seat(line, 8), deadline=99),
        )
        return order_of(link)

    assert on_line(main) == [7, 8] * 4


def test_the_urgent_goes_first():
    async def main(line, link):
        answering(link, 12)
        others = [
            asyncio.create_task(run(busy([3] * 3, n), seat(line, n), deadline=99))
            for n in (1, 2, 3)
        ]
        await asyncio.sleep(0.005)  # the first is asked, two wait
        await run(busy([3] * 3, 9), seat(line, 9, priority=5), deadline=99)
        await asyncio.gather(*others)
        return order_of(link)

    order = on_line(main)
    # it never waits for more than the ask that is under way and one that slipped in between
    assert order[:2] == [1, 9]
    assert [n for n, who in enumerate(order) if who == 9] == [1, 3, 5]


def test_a_seat_that_does_not_interleave_keeps_the_line_until_released():
    async def main(line, link):
        answering(link, 8)
        alone = seat(line, 7, interleave=False)

        async def visit():
            with alone:
                await run(busy([3] * 3, 7), alone, deadline=99)
                await asyncio.sleep(10)
                await run(busy([4], 7), alone, deadline=99)

        other = asyncio.create_task(run(busy([3] * 2, 8), seat(line, 8, priority=9), deadline=99))
        mine = asyncio.create_task(visit())
        await asyncio.gather(mine, other)
        alone.release()
        await run(busy([5], 8), seat(line, 8), deadline=99)
        return order_of(link)

    assert on_line(main) == [8, 7, 7, 7, 7, 8, 8]


def test_whoever_stops_waiting_loses_no_turn_of_others():
    async def main(line, link):
        answering(link, 9)
        first = asyncio.create_task(run(busy([3] * 2, 1), seat(line, 1), deadline=99))
        await asyncio.sleep(0.005)
        waiting = [asyncio.create_task(seat(line, n)(read(3, n))) for n in (2, 3, 4)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.gather(first, *waiting[1:])
        return order_of(link)

    assert on_line(main) == [1, 3, 4, 1]


def test_a_turn_that_came_as_its_waiter_left_goes_on():
    async def main():
        turns = Turns()
        await turns.take(0)
        waiting = [asyncio.create_task(turns.take(0)) for _ in range(2)]
        await asyncio.sleep(0)
        turns.pass_on()
        waiting[0].cancel()
        await asyncio.wait(waiting, timeout=1)
        return [task.done() and not task.cancelled() for task in waiting]

    assert run_virtual(main(), START) == [False, True]


def test_one_conversation_at_a_time_on_a_seat():
    async def main(line, _link):
        exchange = seat(line)
        first = asyncio.create_task(exchange(read(3)))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="one conversation"):
            await exchange(read(3))
        return (await first).frame

    assert on_line(main, after(0.02, toy.answer(7, 3))) == toy.answer(7, 3)


# -- leases, links


def test_a_lost_lease_ends_the_visit_and_nothing_more_leaves():
    held = [True]

    async def main(line, link):
        answering(link, 9)

        def lose(data):
            held[0] = False
            return after(0.01, toy.answer(data[0], data[1]))

        link.scripts[2] = lose
        with pytest.raises(LineBusy, match="lease"):
            await run(toy.visit(7, [3, 4, 5]), seat(line), deadline=99)
        return [frame[1] for _, frame in link.sent]

    # not even the goodbye: the line is somebody else's
    assert on_line(main, lease=lambda: held[0]) == [toy.HELLO, 3, 4]


def test_a_lease_lost_while_the_line_was_opened_lets_nothing_leave():
    held = [True]

    async def main():
        link = Scripted()

        async def open_link(_address):
            held[0] = False
            return link

        async with Line(open_link, SERIAL, lease=lambda: held[0]) as line:
            with pytest.raises(LineBusy):
                await seat(line)(read(3))
        return link.sent

    assert run_virtual(main(), START) == []


def test_a_line_that_broke_between_asks_is_opened_again_once():
    opened = []

    async def main():
        async def open_link(_address):
            link = Scripted(after(0.01, toy.answer(7, 3)), after(0.01, toy.answer(7, 4)))
            opened.append(link)
            if len(opened) == 3:
                link.breaks = LineDown("again")
            return link

        async with Line(open_link, SERIAL) as line:
            exchange = seat(line)
            await exchange(read(3))
            opened[0].breaks = LineDown("gone")
            await exchange(read(3))
            assert line.stats.reconnects == 1
            opened[1].breaks = LineDown("gone")
            with pytest.raises(LineDown, match="again"):
                await exchange(read(4))
        with pytest.raises(LineDown, match="closed"):
            await exchange(read(4))

    run_virtual(main(), START)
    assert [link.closed > 0 for link in opened] == [True, True, True]


def test_a_line_is_left_only_when_no_late_reply_can_come_any_more():
    async def main(line, link):
        clock = asyncio.get_running_loop().time
        await seat(line)(read(3))
        with pytest.raises(ReplyTimeout):
            await seat(line).once(read(4))
        silent = clock()
        await line.close()
        return clock() - silent, link.closed

    waited, closed = on_line(main, after(0.02, toy.answer(7, 3)))
    assert waited == pytest.approx(toy.TIMING.late_reply_s)
    assert closed == 1


def test_a_line_that_can_not_be_opened_says_so_to_each_and_is_tried_again():
    tries = []

    async def main():
        async def open_link(_address):
            tries.append(1)
            raise LineDown("nobody there")

        async with Line(open_link, SERIAL) as line:
            for _ in range(2):
                with pytest.raises(LineDown, match="nobody there"):
                    await seat(line)(read(3))

    run_virtual(main(), START)
    assert len(tries) == 2


def test_a_cancelled_visit_says_goodbye_over_the_real_line():
    async def main(line, link):
        answering(link, 2)
        link.scripts += [[], lambda data: after(0.01, toy.answer(data[0], data[1]))]
        task = asyncio.create_task(run(toy.visit(7, [3, 4, 5]), seat(line), deadline=99))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return [frame[1] for _, frame in link.sent]

    assert on_line(main) == [toy.HELLO, 3, 4, toy.BYE]


def test_a_goodbye_that_nobody_answers_is_said_once():
    async def main(line, link):
        answering(link, 1)
        task = asyncio.create_task(run(toy.visit(7, [3]), seat(line), deadline=99))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])
        return [frame[1] for _, frame in link.sent]

    assert on_line(main) == [toy.HELLO, 3, toy.BYE]


def test_a_silent_meter_is_asked_no_more_than_the_policy_says():
    async def main(line, link):
        answering(link, 1)
        with pytest.raises(ReplyTimeout):
            await run(toy.visit(7, [3, 4, 5]), seat(line), deadline=99)
        return [frame[1] for _, frame in link.sent]

    assert on_line(main) == [toy.HELLO, *[3] * 6, toy.BYE, toy.BYE, toy.BYE]
