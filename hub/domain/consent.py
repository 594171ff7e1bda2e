"""Leave to do one dangerous act once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Act(StrEnum):
    """What may be done to a meter with consent; everything else is never sent.

    Stored, translated and documented under these names.
    """

    CORRECT_CLOCK = "correct_clock"  # within the meter's daily allowance
    SET_CLOCK = "set_clock"  # any distance; may upset the meter's archives
    SWITCH_RELAY = "switch_relay"
    SET_LIMITS = "set_limits"
    FIX = "fix"  # latch the present values, to be read later


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Receipt for leave to do one act once. Never evidence: the leave itself is a stored row."""

    act: str  # an Act for meters; 'submit', 'create_appeal' … for suppliers
    target: str  # id of the meter or account
    actor: str
    reason: str
    until: datetime
