"""The real command ``hub``, that dies of SIGKILL just before or after its n-th commit.

KILL_AT=7:before or 7:after; without it the command runs as ever. Nothing in the hub knows of this.
"""

import os
import signal
from itertools import count

from sqlmodel import Session

from hub.cli import main


def die_at(number: int, when: str) -> None:
    commit, counted = Session.commit, count(1)

    def killed(session: Session) -> None:
        now = next(counted) == number
        if now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(session)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)

    Session.commit = killed


if __name__ == "__main__":
    if at := os.environ.get("KILL_AT"):
        number, _, when = at.partition(":")
        die_at(int(number), when)
    main()
