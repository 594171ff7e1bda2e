"""The event loop of a process that does nothing but read many lines."""

import asyncio
import gc

from uvloop import new_event_loop

NEW_OBJECTS = 100_000


def lines_runner() -> asyncio.Runner:
    """Return a runner for this process, on uvloop.

    Thousands of conversations are under way at once, and hardly any object is garbage that only
    a search finds: what is loaded by now is searched no more, what is new every hundred thousand
    objects instead of every seven hundred.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
    return asyncio.Runner(loop_factory=new_event_loop)
