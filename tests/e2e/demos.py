"""A demo that is started for a picture or a walk and ends with it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

SCRATCH = Path(__file__).resolve().parents[2] / ".proof"
PATIENCE_S = 300


@contextmanager
def running(name: str) -> Iterator[str]:
    """Start the demo under .proof/NAME, or go on with it; give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    child = subprocess.Popen(
        [sys.executable, "-m", "hub", "demo", "--dir", str(SCRATCH / name), "--port", str(port)]
    )
    try:
        for _ in range(PATIENCE_S):
            try:
                httpx.get(f"{url}/health/ready").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(1)
        yield url
    finally:
        child.terminate()
        child.wait(30)
