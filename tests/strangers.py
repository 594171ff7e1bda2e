"""Wheels that are not ours: a good plugin and three broken ones, built and installed by a test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parent / "plugins" / "toymeter"


def install(folder: Path) -> Path:
    """Build the four wheels and install them; give the folder to put on PYTHONPATH."""
    sources, target = folder / "sources", folder / "installed"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
         "--no-build-isolation", "--target", target, *sorted(sources.iterdir())],
        check=True, capture_output=True,
    )  # fmt: skip
    return target


def environment(installed: Path, **more: str) -> dict[str, str]:
    """Give the environment of a process that has the strangers' plugins beside ours."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    path = os.pathsep.join(filter(None, [str(installed), clean.get("PYTHONPATH", "")]))
    return clean | {"PYTHONPATH": path} | more
