"""The virtual Mercury 234: bytes in, bytes out, computed from a load model and the clock.

Written from the protocol paper beside the driver, not with it: the two share ``corefast.crc``
and nothing else, which an import contract enforces, so one's mistake cannot hide in the other.

`scenario` reads what shall happen to a meter, `life` lets it happen and keeps what comes of it, and
`meter` is the conversation: an answer is computed from what was kept, for any instant.
"""

from datetime import datetime

from hub.plugins.mercury234.simulator.books import JournalEvent
from hub.plugins.mercury234.simulator.line import Connection, VirtualLine
from hub.plugins.mercury234.simulator.memory import TruthSlot
from hub.plugins.mercury234.simulator.meter import VirtualMeter
from hub.plugins.mercury234.simulator.options import LineSettings

__all__ = [
    "Connection",
    "JournalEvent",
    "LineSettings",
    "TruthSlot",
    "VirtualLine",
    "VirtualMeter",
    "build",
    "truth",
]


def build(settings: LineSettings) -> VirtualLine:
    """Make a line of meters. Raises ValueError, a sentence, for settings that cannot be."""
    return VirtualLine(settings)


def truth(settings: LineSettings, now: datetime) -> dict[int, VirtualMeter]:
    """Make the meters of a line as any process would have them, to compare readings with.

    ``now`` is the instant that the line was started with; the option ``now`` goes before it.
    """
    return VirtualLine(settings, now).meters
