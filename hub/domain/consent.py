"""Leave to do one dangerous act once."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Receipt for leave to do one act once. Never evidence: the leave itself is a stored row."""

    act: str  # 'submit', 'create_appeal', 'set_clock', ...
    target: str  # id of the meter or account
    actor: str
    reason: str
    until: datetime
