"""Whatever a meter answers, the driver ends with a sane value or with an error of ours."""

from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st
from mercury_fake import ADDRESS, FakeMeter, visit
from mercury_lies import PERSONALITIES, Liar, Told, Visit, Wire, lies, programs

from corefast.crc import seal
from hub.plugins.api import Level
from hub.plugins.mercury234.explain import explain


@settings(max_examples=100, deadline=None)
@given(
    program=programs,
    personality=st.integers(0, len(PERSONALITIES) - 1),
    turn=st.integers(0, 9),
    level=st.sampled_from(Level),
    chunk=st.sampled_from([1, 7, 300]),
)
def test_lies_end_in_sane_values_or_errors_of_ours(program, personality, turn, level, chunk):
    told = Told()
    had = Visit(Wire(Liar(personality, cycle(program), told), chunk=chunk))
    had(turn, level)
    assert told.answers


def test_an_honest_meter_fails_in_no_conversation_that_it_can_have():
    for personality in range(len(PERSONALITIES)):
        told = Told()
        had = Visit(Wire(Liar(personality, (), told)))
        had(level=Level.CONFIGURE)
        assert told.changed == 0
        assert had.kinds["value"] >= 5
        assert had.kinds.keys() <= {"value", "device.not_supported"}


@settings(max_examples=50, deadline=None)
@given(stream=st.binary(max_size=200))
def test_a_stream_is_read_as_lies_to_its_end(stream):
    assert len(list(lies(stream))) <= len(stream) // 4


@settings(max_examples=100, deadline=None)
@given(
    learned=st.dictionaries(
        st.sampled_from(
            ["password", "identity", "fast", "no_arrays", "pointer", "blocks", "relative"]
        ),
        st.text(max_size=6),
    )
)
def test_wrong_memories_cost_time_and_no_slot(learned):
    meter = FakeMeter(overflow=False)
    meter.fill(40, last=0x0280)
    line, driver = visit(meter, learned)
    assert len(line.run(driver.read_profile(None)).slots) == 40


@settings(max_examples=300, deadline=None)
@given(
    request=st.binary(max_size=12),
    response=st.none() | st.binary(max_size=40),
    asked_well=st.booleans(),
    said_well=st.booleans(),
    hints=st.sampled_from([{}, {"firmware": "9.0.0"}, {"firmware": "2.3.4", "constant": "1000"}]),
)
def test_any_bytes_are_explained(request, response, asked_well, said_well, hints):
    if asked_well:
        request = seal(bytes((ADDRESS,)) + request)
    if said_well and response is not None:
        response = seal(bytes((ADDRESS,)) + response)
    said = explain(request, response, hints)
    assert said.request["length"] == len(request)
