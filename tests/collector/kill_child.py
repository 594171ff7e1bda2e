"""The real command ``hub``, that dies of SIGKILL just before or after its n-th commit.

KILL_AT=7:before or 7:after; without it the command runs as ever. Nothing in the hub knows of this.
"""

import os
import signal
from itertools import count
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from hub.cli import main


def die_at(number: int, when: str) -> None:
    commit, counted = DefaultDialect.do_commit, count(0)  # 0 is the schema's, at the start

    def killed(dialect: DefaultDialect, connection: Any) -> None:
        now = connection.in_transaction and next(counted) == number
        if now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(dialect, connection)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)

    DefaultDialect.do_commit = killed


if __name__ == "__main__":
    if at := os.environ.get("KILL_AT"):
        number, _, when = at.partition(":")
        die_at(int(number), when)
    main()
