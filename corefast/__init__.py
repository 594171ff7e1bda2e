"""The compiled core: checksums of frames, sums over profiles and the blocks profiles are kept in.

There is no plain-Python twin: a hub without its core is a hub that was not built.
"""

try:
    from corefast import crc, profile
except ImportError as _error:
    raise ImportError(
        f"corefast, the hub's compiled core, is not built for this Python ({_error}). "
        "Build it with `pip install .` in the project's folder (a checkout: `pip install -e .`); "
        "that needs a C compiler and the Python headers (Debian: gcc python3-dev).",
        name=_error.name,
        path=_error.path,
    ) from _error

__all__ = ["crc", "profile"]
