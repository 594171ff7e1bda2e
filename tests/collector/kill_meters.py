"""Virtual meters whose clock stands still, in a process of their own.

``kill_meters.py ISO METERS KEY=VALUE…``: prints its port, then serves until it is ended. A meter
at which no time passes has the same to tell whoever asks, however often and whenever. Each write
that comes is a line in the file KILL_WRITES.
"""

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path

from hub.plugins.api import SimulatorSettings
from hub.plugins.manager import load_plugins
from hub.wire.address import parse_line
from hub.wire.serve import serving

WRITE = 0x03


class Hasty:
    """The same answers without the time a meter takes for them."""

    def __init__(self, simulator, writes: Path) -> None:
        self.simulator = simulator
        self.writes = writes

    def receive(self, data, now):
        if len(data) > 1 and data[1] == WRITE:
            with self.writes.open("a") as file:
                file.write(data.hex() + "\n")
        return [(0.0, answer) for _, answer in self.simulator.receive(data, now)]


async def main(now: str, meters: str, *options: str) -> None:
    driver = load_plugins(only=["mercury234"]).driver("mercury234")
    made = driver.simulator(
        SimulatorSettings(
            meters=int(meters), seed=5, options=dict(option.split("=", 1) for option in options)
        )
    )
    at = datetime.fromisoformat(now)
    writes = Path(os.environ["KILL_WRITES"])
    listen = parse_line("tcp://127.0.0.1:0", listen=True)
    async with serving(Hasty(made, writes), listen, now=lambda: at, quiet_s=0.0005) as address:
        print(address.port, flush=True)  # noqa: T201
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
