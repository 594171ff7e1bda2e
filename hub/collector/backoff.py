"""How long to leave a meter or a line alone after a failure.

One minute, doubling to an hour, with jitter so that meters that failed together don't come back
together. What only a person can put right stops the meter; a refusal, or anything else that is
the user's matter, is no reason to slow down.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.errors import AccessDenied, Blame, HubError, Refused, Retry

FIRST = timedelta(minutes=1)
LONGEST = timedelta(hours=1)
JITTER = 0.25


@dataclass(frozen=True, slots=True)
class Standing:
    """What becomes of whoever failed."""

    due_at: datetime
    failures: int
    stopped: bool = False


def wait(failures: int, luck: float) -> timedelta:
    """Return the wait after so many failures in a row; ``luck`` is from 0 to 1."""
    doublings: int = 1 << min(max(failures, 1) - 1, 10)
    return min(FIRST * doublings, LONGEST) * (1 - JITTER + 2 * JITTER * luck)


def after_failure(
    error: HubError,
    failures: int,
    *,
    now: datetime,
    regular_at: datetime,
    luck: float,
    proven: bool = False,
) -> Standing:
    """Decide by the error's consequence; ``regular_at`` is when the next visit would be due.

    ``proven``: the meter was read before. Noise may turn a good password into a bad one, or the
    answer into a refusal, so then one refusal is not enough to stop it.
    """
    once = proven and not failures and isinstance(error, AccessDenied)
    if error.blame is Blame.USER and error.retry is Retry.NEVER and not once:
        return Standing(regular_at, failures, stopped=True)
    if (error.blame is Blame.USER and not once) or isinstance(error, Refused):
        return Standing(regular_at, failures)
    return Standing(now + wait(failures + 1, luck), failures + 1)
