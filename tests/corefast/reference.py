"""The plain-Python oracle of corefast: slow, obvious, written from the contracts alone."""

import zlib
from collections.abc import Sequence

NO_VALUE = 1
REJECTED = 16
VERSION = 1


def crc16(data: bytes) -> int:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def seal(payload: bytes) -> bytes:
    return payload + crc16(payload).to_bytes(2, "little")


def is_sealed(frame: bytes) -> bool:
    return len(frame) >= 2 and seal(frame[:-2]) == frame


def check_frames(frames: bytes, frame_len: int) -> bytes:
    return bytes(
        is_sealed(frames[start : start + frame_len]) for start in range(0, len(frames), frame_len)
    )


def aggregate(
    values: Sequence[Sequence[Sequence[int]]],
    flags: Sequence[Sequence[int]],
    bounds: Sequence[int],
    keys: Sequence[int],
    n_keys: int,
    *,
    channels: int,
) -> tuple[list[list[list[int]]], list[list[int]]]:
    sums, counts = [], []
    for slots, marks in zip(values, flags, strict=True):
        total = [[0] * channels for _ in range(n_keys)]
        count = [0] * n_keys
        for run, key in enumerate(keys):
            for slot in range(bounds[run], bounds[run + 1]):
                if not marks[slot] & (NO_VALUE | REJECTED):
                    total[key] = [a + b for a, b in zip(total[key], slots[slot], strict=True)]
                    count[key] += 1
        sums.append(total)
        counts.append(count)
    return sums, counts


def _flag_runs(flags: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for flag in flags:
        if runs and runs[-1][0] == flag and runs[-1][1] < 256:
            runs[-1] = (flag, runs[-1][1] + 1)
        else:
            runs.append((flag, 1))
    return runs


def pack_day(values: Sequence[Sequence[int]], flags: Sequence[int]) -> bytes:
    slots, channels = len(values), len(values[0])
    present = [slot for slot, flag in zip(values, flags, strict=True) if not flag & NO_VALUE]
    heads, bits = b"", ""
    for channel in range(channels):
        counts = [slot[channel] for slot in present] or [0]
        least = min(counts)
        width = (max(counts) - least).bit_length()
        code = 0 if least == 0 else 1 if least < 1 << 8 else 2 if least < 1 << 16 else 3
        heads += bytes([width | code << 6]) + least.to_bytes((0, 1, 2, 4)[code], "little")
        if width:
            # A number's lowest bit goes first, so the text is built backwards.
            for slot in present:
                bits = f"{slot[channel] - least:0{width}b}" + bits
    runs = _flag_runs(flags)
    if not any(flags):
        kept_as, marks = 0, b""
    elif len(set(flags)) == 1:
        kept_as, marks = 1, bytes([flags[0]])
    elif len(runs) <= 255 and 1 + 2 * len(runs) < slots:
        kept_as = 2
        marks = bytes([len(runs)]) + b"".join(bytes([flag, n - 1]) for flag, n in runs)
    else:
        kept_as, marks = 3, bytes(flags)
    body = bytes([VERSION, channels - 1 | kept_as << 2]) + slots.to_bytes(2, "little")
    body += heads + marks
    body += int(bits or "0", 2).to_bytes((len(bits) + 7) // 8, "little")
    return body + zlib.crc32(body).to_bytes(4, "little")


def kept(values: Sequence[Sequence[int]], flags: Sequence[int]) -> list[list[int]]:
    """What a block gives back: the counts, zeros where there is no value."""
    return [
        [0] * len(slot) if flag & NO_VALUE else list(slot)
        for slot, flag in zip(values, flags, strict=True)
    ]
