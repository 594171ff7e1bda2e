"""Who holds a line: a name for this process that tells others on this machine whether it lives.

A collector that was killed can't release its lines. On the same machine nobody has to wait for
the lease to run out: the kernel says that the holder is gone. Elsewhere the lease decides.
"""

import os
from pathlib import Path

PROC = Path("/proc")


def machine() -> str:
    """Name this boot of this machine and its process namespace; '' where that can't be known."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def started(pid: int) -> str:
    """Return when a process started, in ticks; '' if there is none."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return ""
    # The second field is the command in brackets and may hold anything.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def own_name() -> str:
    """Name this process."""
    return f"{machine()} {os.getpid()} {started(os.getpid())}"


def is_dead(name: str) -> bool:
    """Say whether the process of this name is known to be gone."""
    where, _, process = name.partition(" ")
    pid, _, start = process.partition(" ")
    if not where or where != machine() or not pid.isdigit() or not start:
        return False
    return started(int(pid)) != start
