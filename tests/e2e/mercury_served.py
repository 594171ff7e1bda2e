"""Virtual Mercury meters in a process of their own, and ``hub meter read`` in another."""

import json
import os
import subprocess
import sys
from datetime import datetime

from hub.plugins.api import SimulatorSettings
from hub.plugins.mercury234.simulator import truth

NOW = datetime.fromisoformat("2026-11-24T12:07:31+03:00")
SEED = 11
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}


def hub(*arguments):
    return [sys.executable, "-m", "hub", *arguments]


class Served:
    """Virtual meters at 1 and 2 in a process of their own."""

    def __init__(self, options, faults):
        self.options = options
        given = [f"--option={name}={value}" for name, value in options.items()]
        given += [f"--fault={fault}" for fault in faults]
        self.process = subprocess.Popen(
            hub("simulate", "mercury234", "--listen", "tcp://127.0.0.1:0", "--meters=2",
                f"--seed={SEED}", "--now", NOW.isoformat(), *given),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN,
        )  # fmt: skip
        self.line = self.process.stdout.readline().split()[1]

    def try_read(self, what, *options, address=2, password="111111"):
        """Run the command whatever comes of it. The password travels on stdin."""
        return subprocess.run(
            hub("meter", "read", self.line, what, "--driver=mercury234", f"--address={address}",
                "--password=-", "--json", *options),
            capture_output=True, text=True, env=CLEAN, check=False, input=f"{password}\n",
        )  # fmt: skip

    def read(self, what, *options):
        done = self.try_read(what, *options)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    @property
    def meter(self):
        return truth(SimulatorSettings(meters=2, seed=SEED, options=self.options), NOW)[2]

    def stop(self):
        self.process.terminate()
        errors = self.process.communicate(timeout=10)[1]
        assert (self.process.returncode, errors) == (0, "")
