"""Child processes of the commands that run several: started, watched, ended together.

Run as a module it is the child's beginning: it asks the kernel to be told when its parent is
gone, then becomes the command.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, Final

PR_SET_PDEATHSIG: Final = 1
PATIENCE_S: Final = 10.0


def start(*words: str, stdout: int | IO[bytes] | None = None) -> "subprocess.Popen[str]":
    """Start another ``hub`` of this very installation that ends when this process does.

    It gets a session of its own, so that Ctrl-C reaches it only through `end`. On Linux it ends
    even if this process is killed; call from the main thread, whose end is what counts.
    """
    # -P: a folder 'hub' where the command happens to be called is not us.
    return subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-P", "-m", "hub.cli.processes", str(os.getpid()), *words],
        stdout=stdout,
        text=True,
        start_new_session=True,
    )


def end(children: Sequence["subprocess.Popen[str]"]) -> None:
    """Ask all to end, then wait; one that does not is killed."""
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
    for child in children:
        try:
            child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _begin(parent: int) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was gone before the kernel was asked
        sys.exit(1)


if __name__ == "__main__":
    _begin(int(sys.argv[1]))
    from hub.cli import run

    sys.exit(run(sys.argv[2:]))
