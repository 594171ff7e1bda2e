"""Wheels that are not ours, built and installed by a test, and a hub that has them."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from hub.cli.opening import KEYS_FILE, write_keys
from hub.store.secrets import new_key
from hub.store.unit import Store

PLUGINS = Path(__file__).parent / "plugins"
TOYS = sorted((PLUGINS / "toymeter").iterdir())  # a good one and three broken ones
TOWN = [PLUGINS / "townpower"]


def install(folder: Path, packages: Sequence[Path]) -> Path:
    """Build the wheels and install them; give the folder to put on PYTHONPATH."""
    sources, target = folder / "sources", folder / "installed"
    for package in packages:
        unwanted = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
        shutil.copytree(package, sources / package.name, ignore=unwanted)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
         "--no-build-isolation", "--target", target, *sorted(sources.iterdir())],
        check=True, capture_output=True,
    )  # fmt: skip
    return target


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(installed: Path, **more: str) -> dict[str, str]:
    """Give the environment of a process that has the strangers' plugins beside ours."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    path = os.pathsep.join(filter(None, [str(installed), clean.get("PYTHONPATH", "")]))
    return clean | {"PYTHONPATH": path} | more


@dataclass
class Installation:
    """A hub with the strangers' plugins: a folder with keys and database. ``more``: HUB_…"""

    folder: Path
    plugins: Path
    more: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, plugins: Path, **more: str) -> Self:
        write_keys(folder / KEYS_FILE, [new_key()])
        made = cls(folder, plugins, more)
        store = made.store()
        store.upgrade()
        store.close()
        return made

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.plugins, HUB_DATA_DIR=str(self.folder), **self.more)

    def hub(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "hub", *words], input=stdin,
            capture_output=True, text=True, env=self.environment, check=False, timeout=120,
        )  # fmt: skip

    def start(self, *words: str, stderr: IO[str] | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "hub", *words],
            stdout=subprocess.PIPE, stderr=stderr, text=True, env=self.environment,
        )  # fmt: skip

    def store(self) -> Store:
        keys = (self.folder / KEYS_FILE).read_text().split()
        return Store.open(f"sqlite:///{self.folder / 'hub.db'}", keys=keys)
