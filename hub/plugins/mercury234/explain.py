"""One exchange in words: the JSON of ``hub wire decode``. Any bytes are explained, none raise.

A hint that can't be read is a ValueError with a sentence.

``decoded`` has the values alone, under the names of the recorded exchanges, with their units.
``says`` in ``request`` and in ``response`` are sentences for people. What is wrong with a frame is
said in ``request`` or ``response``, and then nothing is decoded. A stamp that is no time is among
``not_times`` of ``response``. Passwords are masked, and so is the CRC behind them, which would
give them away.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from corefast.crc import is_sealed
from hub.plugins.api import Channel, Explained
from hub.plugins.mercury234.explain_answers import NOT_A_TIME, SPOKEN_TIMES, Answer, answer_to
from hub.plugins.mercury234.explain_requests import ANGLES, words_of
from hub.plugins.mercury234.frames import STATUS_FRAME, data_of, spaced, status_of, status_text
from hub.plugins.mercury234.models import RECORD_NUMBERS_SINCE, parse_firmware
from hub.plugins.mercury234.parameters import MAXIMA_NAMES, Words, little_words
from hub.plugins.mercury234.values import ACTIVE, APPARENT, REACTIVE, Kind, kind_of
from hub.plugins.mercury234.writes import NEW_ADDRESS, WRITE_CODE

SHORTEST = 4
TIMES = frozenset(("time", "date", "first_at", "second_at", "ends_at"))
UNITS = {
    "wh": "Wh", "varh": "varh", "w": "W", "v": "V", "a": "A", "hz": "Hz", "deg": "degrees",
    "percent": "%", "c": "degrees Celsius", "s": "s", "var": "var", "va": "VA",
}  # fmt: skip
ENERGY = ("Wh", "varh")
CHANNELS = frozenset(channel.value for channel in Channel)
POWERS = (ACTIVE, REACTIVE, APPARENT)
REPEATS = (
    "One byte more than is due, and it is the code: this is taken for repeat mode, whose layout "
    "no paper draws."
)
MEANT = {
    1: "it does not have what was asked for, or not so",
    2: "something inside the meter failed",
    3: "a higher level than the channel's is needed",
    4: "the next correction is possible tomorrow",
    5: "the channel has to be opened first",
}


def explain(request: bytes, response: bytes | None, hints: Mapping[str, str]) -> Explained:
    """Say what a request asks and what its response says.

    Raises ValueError, a sentence, for a hint that can't be read.
    """
    firmware, constant = _read_hints(hints)
    asked = _request(request)
    if not response:
        return Explained(request=asked, response={}, decoded={})
    answered: Words = {"length": len(response)}
    trouble = _trouble(request, response)
    if trouble:
        return _not_decoded(asked, answered, trouble)
    answered |= {"address": response[0], "crc": "ok"}
    body, data = request[1:-2], data_of(response)
    if len(response) == STATUS_FRAME:
        return _status(asked, answered, status_of(response), body)
    answered["data_hex"] = spaced(data)
    answer = answer_to(body)
    if _repeats(body, data, answer.sizes):
        answered["says"] = [REPEATS]
        data = data[1:]
        if len(data) == 1:
            return _status(asked, answered, data[0] & 0x0F, body)
    elif answer.sizes and len(data) not in answer.sizes:
        due = " or ".join(str(size) for size in answer.sizes)
        return _not_decoded(asked, answered, f"{len(data)} bytes of data where {due} were due")
    decoded = answer.decode(data)
    more = answer.more(data) if answer.more else {}
    more |= _hinted(decoded, data, firmware, constant)
    answered |= more
    told = {} if more and "raw_hex" in decoded else _named(decoded, body, answer)
    answered["says"] = [*_texts(answered.get("says")), *_sentences(told), *_sentences(more)]
    not_times = dict(_not_times(decoded))
    if not_times:
        answered["not_times"] = not_times
    return Explained(request=asked, response=answered, decoded=decoded)


def _not_decoded(asked: Words, answered: Words, trouble: str) -> Explained:
    answered |= {"error": trouble, "says": [f"Nothing can be made of the answer: {trouble}."]}
    return Explained(request=asked, response=answered, decoded={})


def _status(asked: Words, answered: Words, status: int, body: bytes) -> Explained:
    said = f"The meter answers '{status_text(status)}'"
    if status in MEANT:
        said += f": {MEANT[status]}"
    elif body[0] == WRITE_CODE and status == 0:
        said += ": it was accepted"
    answered["says"] = [*_texts(answered.get("says")), f"{said}."]
    decoded: Words = {"status": status, "status_text": status_text(status)}
    return Explained(request=asked, response=answered, decoded=decoded)


def _repeats(body: bytes, data: bytes, sizes: tuple[int, ...]) -> bool:
    """Tell whether the data begin with the code that was asked with, in excess."""
    if len(data) < 2 or data[0] != body[0] or len(data) in sizes:
        return False
    return len(data) - 1 in sizes or len(data) == 2


def _trouble(request: bytes, response: bytes) -> str:
    if len(response) < SHORTEST:
        return f"{len(response)} bytes are too few for a frame"
    if response == request and len(request) > SHORTEST:
        return "it is the request itself, come back as an echo"
    if not is_sealed(response):
        return "the CRC is wrong"
    if len(request) < SHORTEST or not is_sealed(request):
        return "the request is no frame, so nobody can say what this answers"
    if response[0] not in _addresses(request):
        return f"address {response[0]} answers where {request[0]} was asked"
    return ""


def _addresses(request: bytes) -> set[int]:
    body = request[1:-2]
    if body[:2] == bytes((WRITE_CODE, NEW_ADDRESS)) and len(body) > 2:
        return {request[0], body[2]}  # the answer comes from the new address
    return {request[0]}


def _request(request: bytes) -> Words:
    words: Words = {"length": len(request)}
    if len(request) < SHORTEST:
        trouble = f"{len(request)} bytes are too few for a frame"
        return words | {"error": trouble, "says": [f"No request: {trouble}."]}
    words["crc"] = "ok" if is_sealed(request) else "wrong"
    words["address"] = request[0]
    words |= words_of(request[1:-2])
    if words["crc"] == "wrong":
        words["says"] = [*_texts(words["says"]), "The CRC is wrong: a meter keeps silent."]
    return words


def _texts(says: object) -> list[str]:
    return [str(each) for each in says] if isinstance(says, list) else []


# -- sentences -----------------------------------------------------------------------------------


def _named(decoded: Words, body: bytes, answer: Answer) -> Words:
    """Name for people what the published names leave to the request: powers, and stamps."""
    asked = kind_of(body[2]) if body[0] == 0x08 and len(body) > 2 else None
    powers = {each.name: each for each in POWERS}

    def name_of(name: str, kind: Kind | None) -> str:
        if name == "power" and kind:
            return f"{kind.name}_{kind.unit.lower()}"
        return answer.spoken.get(name, name)

    def named(words: object, kind: Kind | None) -> object:
        if isinstance(words, list):
            return [named(each, kind) for each in words]
        if not isinstance(words, Mapping):
            return words
        return {
            name_of(name, kind): named(value, powers.get(name, kind))
            for name, value in words.items()
        }

    found = named(decoded, asked)
    return found if isinstance(found, dict) else decoded


def _sentences(words: Mapping[str, object], about: str = "") -> Iterator[str]:
    """Say names and values; what is nested gets sentences of its own."""
    plain = [_said(name, value) for name, value in words.items() if not _nests(value)]
    if plain:
        sentence = ", ".join(plain)
        yield f"{about}: {sentence}." if about else f"{sentence[:1].upper()}{sentence[1:]}."
    for name, value in words.items():
        inner = f"{about}, {_spoken(name)}" if about else _spoken(name).capitalize()
        if isinstance(value, Mapping):
            yield from _sentences(value, inner)
        elif isinstance(value, list) and _nests(value):
            for label, each in zip(_labels(value), value, strict=True):
                yield from _sentences(
                    each, label.capitalize() if name == "values" else f"{inner}, {label}"
                )


def _labels(listed: list[Mapping[str, object]]) -> list[str]:
    """Return the elements' names: sum and phases, or numbers for records."""
    if "status_hex" in listed[0] or not (TIMES | SPOKEN_TIMES).isdisjoint(listed[0]):
        return [str(number) for number in range(1, len(listed) + 1)]
    if "angle_deg" in listed[0]:
        return [f"phases {between}" for between in ANGLES.values()]
    phases = [f"phase {phase}" for phase in (1, 2, 3)]
    return {4: ["sum", *phases], 3: phases}.get(len(listed), ["the meter"] * len(listed))


def _nests(value: object) -> bool:
    listed = isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
    return isinstance(value, Mapping) or listed


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _said(name: str, value: object) -> str:
    head, _, last = name.rpartition("_")
    unit = UNITS.get(last) if head else None
    spoken = _spoken(head if unit else name)
    if isinstance(value, str) and (name in TIMES or name in SPOKEN_TIMES):
        return f"{spoken} {_time(value)}"
    if value is None:
        return f"{spoken} {'not metered' if unit in ENERGY or name in CHANNELS else 'none'}"
    if isinstance(value, bool):
        return f"{spoken} {'yes' if value else 'no'}"
    if isinstance(value, list):
        return f"{spoken} {', '.join('none' if v is None else str(v) for v in value) or 'none'}"
    return f"{spoken} {value} {unit}" if unit else f"{spoken} {value}"


def _time(text: str) -> str:
    told = text.removeprefix(NOT_A_TIME)
    return told.replace("T", " ") if _is_time(told) else f"{NOT_A_TIME}{told}"


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _not_times(words: Mapping[str, object], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield stamps that are no time, by their place."""
    for name, value in words.items():
        if isinstance(value, Mapping):
            yield from _not_times(value, f"{path}{name}.")
        elif isinstance(value, list):
            for number, each in enumerate(value):
                if isinstance(each, Mapping):
                    yield from _not_times(each, f"{path}{name}.{number}.")
        elif name in TIMES and isinstance(value, str) and not _is_time(value):
            yield f"{path}{name}", _time(value)


# -- what depends on the meter -------------------------------------------------------------------

Firmware: TypeAlias = tuple[int, int, int]


def _read_hints(hints: Mapping[str, str]) -> tuple[Firmware | None, int | None]:
    """Read the firmware and the meter constant; None where there is no such hint."""
    version, constant = hints.get("firmware"), hints.get("constant")
    firmware = None if version is None else parse_firmware(version)
    if version is not None and firmware is None:
        raise ValueError(f"firmware is '{version}'; write it like 2.3.4 or 9.0.0")
    if constant is not None and not (constant.isdecimal() and int(constant)):
        raise ValueError(f"constant is '{constant}'; write impulses a kilowatt-hour, like 1000")
    return firmware, None if constant is None else int(constant)


def _hinted(decoded: Words, data: bytes, firmware: Firmware | None, constant: int | None) -> Words:
    """Return what only a known firmware or meter constant can tell, or nothing."""
    words: Words = {}
    if firmware and "address_field_hex" in decoded:
        numbered = firmware >= RECORD_NUMBERS_SINCE
        name = "from" if numbered else "before"
        words["byte_address_hex"] = decoded[f"byte_address_{name}_7_1_0_hex"]
    counts = decoded.get("counts")
    if constant is not None and isinstance(counts, dict):
        words["energy_wh"] = {
            channel: None if count is None else Decimal(count * 500) / constant
            for channel, count in counts.items()
        }
    if decoded.keys() == set(MAXIMA_NAMES.values()):
        words["words"] = little_words(data)
    return words
