"""Letters of the demonstration."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as text; ``link`` is the address on its button, if it has one."""

    id: int
    to: str
    subject: str
    sent_at: datetime
    text: str = ""
    link: str | None = None

    @property
    def href(self) -> str:
        return f"/demo/mail/{self.id}"
