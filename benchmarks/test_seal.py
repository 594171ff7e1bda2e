"""Making and checking one sealed frame."""

from conftest import Tell
from fastcrc import crc16 as fastcrc
from pytest_benchmark.fixture import BenchmarkFixture
from rounds import calls_ns

from corefast import crc

PAYLOAD = bytes(range(18))


def fastcrc_seal(payload: bytes) -> bytes:
    return payload + fastcrc.modbus(payload).to_bytes(2, "little")


def fastcrc_is_sealed(frame: bytes) -> bool:
    return fastcrc.modbus(frame) == 0


def test_seal(tell: Tell, benchmark: BenchmarkFixture) -> None:
    assert crc.seal(PAYLOAD) == fastcrc_seal(PAYLOAD)
    names = {"core": crc.seal, "peer": fastcrc_seal, "payload": PAYLOAD}
    times = calls_ns({"core": "core(payload)", "peer": "peer(payload)"}, names)
    tell("seal of 18 bytes, net", times["core"], "ns")
    tell("seal of 18 bytes, to fastcrc in Python", times["core"] / times["peer"], "x")
    benchmark.group = "seal"
    benchmark(crc.seal, PAYLOAD)


def test_is_sealed(tell: Tell, benchmark: BenchmarkFixture) -> None:
    frame = crc.seal(PAYLOAD)
    assert crc.is_sealed(frame)
    assert fastcrc_is_sealed(frame)
    names = {"core": crc.is_sealed, "peer": fastcrc_is_sealed, "frame": frame}
    times = calls_ns({"core": "core(frame)", "peer": "peer(frame)"}, names)
    tell("is_sealed of 20 bytes, net", times["core"], "ns")
    tell("is_sealed of 20 bytes, to fastcrc in Python", times["core"] / times["peer"], "x")
    benchmark.group = "is_sealed"
    benchmark(crc.is_sealed, frame)
