"""Luck that any process comes to alike."""

from hashlib import blake2b


def digest(*parts: object) -> bytes:
    """64 bytes that depend on all the parts and on nothing else."""
    return blake2b("/".join(map(str, parts)).encode("ascii")).digest()
