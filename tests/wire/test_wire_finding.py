"""Finding meters on a bus that answers at some settings only; in simulated time."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import wire_toy as toy
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import VirtualLink, run_virtual

from corefast.crc import is_sealed, seal
from hub.errors import LineDown, NotSupported, WrongDevice
from hub.plugins.api import Door, Identity, Probed
from hub.wire.address import LineAddress, parse_line
from hub.wire.faults import Faults
from hub.wire.finding import Search, doors_of, find, longest_s, silence_s
from hub.wire.serve import together

START = datetime(2026, 11, 24, tzinfo=UTC)
WHO, GROUP = 0x08, 0x00
LINE = LineAddress("serial", device="/dev/bus", latency_s=0.0)
DOORS = (Door(9600), Door(2400, "E"), Door(300))


def spoken(address, who):
    """The answer to WHO: the address in its own byte, for the group's zero has none."""
    return seal(bytes([who, 4, address, 7, 7, 7]))


async def probe(address):
    at = GROUP if address is None else address
    if at == 66:
        raise WrongDevice("It is one of the maker's, and speaks DLMS.")

    def rule(data):
        if data[0] != at:
            return toy.Verdict(skip=1)
        if len(data) < 8:
            return toy.NEED_MORE
        return toy.Verdict(8) if is_sealed(data[:8]) else toy.Verdict(skip=1)

    reply = await toy.ask(toy.request(at, WHO), rule)
    told = reply.frame[2]
    return Probed(address=told, identity=Identity(maker="Toy", model="T", serial=f"{told:04d}"))


SPEC = SimpleNamespace(
    id="toy",
    probe=probe,
    timing=lambda baud: toy.Timing(first_byte_s=0.15, gap_s=0.005, late_reply_s=1.0),
    is_mutating=lambda request: False,
)


class Meters:
    def __init__(self, *addresses, deaf=False):
        self.addresses = addresses
        self.deaf = deaf  # to the group's address
        self.heard = []

    def receive(self, data, now):
        if len(data) != 4 or not is_sealed(data):
            return []
        self.heard.append(data[0])
        if data[0] == GROUP:
            asked = () if self.deaf else self.addresses
        else:
            asked = [data[0]] if data[0] in self.addresses else ()
        return [(0.01, spoken(each, data[0])) for each in asked]


def search_of(door_of_bus, meters, *, addresses=range(1, 31), faults=None, doors=DOORS, **more):
    """Search a bus whose meters understand one setting; returns the search and seconds taken."""
    nobody = Meters()

    async def open_link(address):
        door = Door(address.baud, address.parity, address.stop_bits)
        bus = meters if door == door_of_bus else nobody
        return VirtualLink(bus, baud=address.baud, faults=faults if bus is meters else None)

    async def main():
        search = Search(doors_of(LINE, doors), addresses, **more)
        steps = []
        await find(SPEC, search, open_link, told=steps.append)
        assert sum(steps) == pytest.approx(longest_s(SPEC, search))
        return search, asyncio.get_running_loop().time()

    return run_virtual(main(), START)


def at(search):
    return [(one.kind, one.address, one.serial) for one in search.found]


def test_a_lone_meter_is_found_without_asking_addresses():
    meters = Meters(17)
    search, seconds = search_of(DOORS[1], meters)
    assert at(search) == [("meter", 17, "0017")]
    assert search.found[0].line == "serial:///dev/bus?baud=2400&parity=E&latency=0"
    assert meters.heard == [GROUP, 17]
    assert seconds < 1


def test_several_meters_spoil_each_other_and_are_asked_one_by_one():
    meters = Meters(3, 9, 28)
    search, _ = search_of(DOORS[0], meters)
    assert at(search) == [("meter", 3, "0003"), ("meter", 9, "0009"), ("meter", 28, "0028")]
    assert {one.line for one in search.found} == {"serial:///dev/bus?latency=0"}
    # only where somebody was heard
    assert search.asked == len(DOORS) + 30 + 2


def test_meters_that_do_not_hear_the_group_are_found_by_asking_all():
    search, seconds = search_of(DOORS[2], Meters(5, deaf=True))
    assert at(search) == [("meter", 5, "0005")]
    assert search.asked == 3 * 31
    assert seconds == pytest.approx(longest_s(SPEC, search), rel=0.2)


def test_nobody_is_nobody():
    search, _ = search_of(Door(19200), Meters(5))
    assert (at(search), search.heard) == ([], [])


def test_only_the_addresses_asked_for():
    meters = Meters(5, 40)
    search, _ = search_of(DOORS[0], meters)
    assert at(search) == [("meter", 5, "0005")]
    assert 40 not in meters.heard
    search, _ = search_of(DOORS[0], Meters(40), addresses=[1, 2])
    assert at(search) == []


def test_everywhere_means_everywhere():
    search, _ = search_of(DOORS[0], Meters(7), everywhere=True)
    assert at(search) == [("meter", 7, "0007")]
    assert search.asked == 2 + 29 + 2 * 31


def test_who_speaks_another_protocol_is_told():
    search, _ = search_of(DOORS[0], Meters(deaf=True), addresses=[65, 66, 67], doors=DOORS[:1])
    assert [(one.kind, one.address, one.text) for one in search.found] == [
        ("other", 66, "It is one of the maker's, and speaks DLMS.")
    ]


def test_noise_is_somebody():
    faults = Faults(damage=1, seed=3)

    class Deaf(Meters):  # hears what no meter could
        def receive(self, data, now):
            return [(0.01, spoken(4, 4))] if self.addresses else []

    search, _ = search_of(DOORS[0], Deaf(4), addresses=[4], faults=faults)
    (one,) = search.found
    assert (one.kind, one.address) == ("noise", 4)
    assert "no frame" in one.text


def test_an_adapter_that_hears_itself_is_noticed():
    search, _ = search_of(DOORS[0], Meters(4, 6), faults=Faults(echo=True))
    assert at(search) == [("meter", 4, "0004"), ("meter", 6, "0006")]
    assert {one.line for one in search.found} == {"serial:///dev/bus?echo=1&latency=0"}


@settings(deadline=None, max_examples=25)
@given(
    st.sets(st.integers(1, 30), max_size=6), st.sampled_from(DOORS), st.integers(0, 2**32)
)  # fmt: skip
def test_whoever_is_there_is_found_on_a_noisy_line(addresses, door, seed):
    faults = Faults(damage=0.002, seed=seed)
    search, _ = search_of(door, Meters(*sorted(addresses)), faults=faults, everywhere=True)
    found = {one.address for one in search.found if one.kind == "meter"}
    assert found <= addresses  # nobody is invented; a request that was damaged finds nobody
    assert len(addresses - found) <= 2


def test_behind_a_gateway_there_is_one_setting():
    tcp = parse_line("tcp://gate:1?baud=2400")
    assert doors_of(tcp, DOORS) == [tcp]
    remote = parse_line("rfc2217://gate:1?baud=2400&parity=E")
    assert doors_of(remote, DOORS) == [
        remote, parse_line("rfc2217://gate:1"), parse_line("rfc2217://gate:1?baud=300")
    ]  # fmt: skip


def test_240_addresses_take_about_a_minute():
    line = LineAddress("serial", device="/dev/bus")
    search = Search([line], range(1, 241))
    assert 40 < longest_s(SPEC, search) < 75
    assert silence_s(SPEC, line) * 241 == pytest.approx(longest_s(SPEC, search))


async def test_a_line_that_cannot_be_had_is_said():
    async def down(address):
        raise LineDown("There is no port.")

    with pytest.raises(LineDown, match="no port"):
        await find(SPEC, Search([LINE], [1]), down)


def test_a_setting_that_the_port_does_not_have_is_passed_over():
    async def open_link(address):
        if address.baud == 300:
            raise LineDown("This port is too fast.")
        return VirtualLink(Meters(4, deaf=True), baud=address.baud)

    async def main():
        search = Search(doors_of(LINE, (Door(300), Door(9600))), range(3, 6))
        steps = []
        await find(SPEC, search, open_link, told=steps.append)
        assert sum(steps) == pytest.approx(longest_s(SPEC, search))
        return search

    assert at(run_virtual(main(), START)) == [("meter", 4, "0004")]


async def test_a_driver_that_cannot_look_says_so():
    with pytest.raises(NotSupported, match="can't look for meters"):
        await find(SimpleNamespace(**{**vars(SPEC), "probe": None}), Search([LINE], [1]), None)


def test_meters_that_answer_at_once_spoil_each_other():
    one, two = toy.answer(1, 2), toy.answer(2, 9)
    assert together([(0.5, one)]) == [(0.5, one)]
    ((delay, mixed),) = together([(0.5, one), (0.2, two)])
    assert delay == 0.2
    assert len(mixed) == max(len(one), len(two))
    assert not is_sealed(mixed)
