"""The toy meter, installed as a stranger's package would be, and served by ``hub simulate``."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOY = Path(__file__).parents[1] / "plugins" / "toymeter" / "good"


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Folder to put on the path: the toy meter with the files that an installer writes."""
    folder = tmp_path_factory.mktemp("site")
    for module in TOY.glob("*.py"):
        shutil.copy(module, folder)
    facts = folder / "hub_toymeter-1.2.3.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: hub-toymeter\nVersion: 1.2.3\n")
    (facts / "entry_points.txt").write_text("[hub.plugins.v1]\ntoymeter = toymeter\n")
    return folder


@pytest.fixture(scope="session")
def environment(site):
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
    return clean | {"PYTHONPATH": path, "HUB_PLUGINS": "toymeter"}


@pytest.fixture
def toys(site, monkeypatch):
    """The toy meter for commands that run in this process."""
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("HUB_PLUGINS", "toymeter")
    for name in ("HUB_DEBUG", "HUB_METER_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def toymeter(toys):
    """The virtual toy's arithmetic, to compute what its meters hold."""
    return importlib.import_module("toymeter_virtual")


@pytest.fixture(scope="session")
def simulated(environment):
    """Start ``hub simulate`` with the options given; returns (process, ready line)."""
    started = []

    def start(*options):
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "simulate", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        started.append(process)
        return process, process.stdout.readline().split()

    yield start
    for process in started:
        process.terminate()
        process.wait(10)
        process.stdout.close()
        process.stderr.close()
