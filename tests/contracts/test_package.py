"""The wheel: built from a clean copy of the tree, it holds what runs and nothing else."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
# What git would archive, taken from the working tree so that changes are tested before a commit.
PARTS = ["hub", "corefast", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"]
BUILT = shutil.ignore_patterns("__pycache__", "*.so", "*.mo", "*.c")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    tree = tmp_path_factory.mktemp("tree")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tree / part, ignore=BUILT)
        else:
            shutil.copy(ROOT / part, tree / part)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", tree / "out", tree],
        check=True,
        capture_output=True,
        env=os.environ | {"CFLAGS": "-O0"},
    )
    (built,) = (tree / "out").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_wheel_is_for_every_python_of_ours(wheel):
    assert re.fullmatch(r"metering_hub-[\d.]+-cp311-abi3-linux_\w+\.whl", wheel.name)


def test_wheel_holds_all_that_runs(names):
    held = set(names)
    kinds = {
        ".py",
        ".pyi",
        ".html",
        ".css",
        ".js",
        ".svg",
        ".woff2",
        ".webmanifest",
        ".wire",
        ".po",
    }
    missing = {
        str(path.relative_to(ROOT))
        for package in ("hub", "corefast")
        for path in (ROOT / package).rglob("*")
        if path.suffix in kinds or path.name == "py.typed"
    } - held
    assert missing == set()
    assert {"corefast/crc.abi3.so", "corefast/profile.abi3.so"} <= held


def test_wheel_holds_nothing_else(names):
    unwanted = re.compile(r"\.(c|h|pyx|pxd|mo|pot|pyc)$|^(tests|benchmarks|docs|build)/")
    assert [name for name in names if unwanted.search(name)] == []


def test_installed_wheel_gives_a_working_hub(wheel, tmp_path):
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", target, wheel], check=True, capture_output=True)
    done = subprocess.run(
        [target / "bin" / "hub", "plugin", "list"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(target)},
    )
    ours = [line.split()[:2] for line in done.stdout.splitlines() if not line.startswith(" ")][1:]
    assert ours == [
        ["email", "loaded"],
        ["house", "loaded"],
        ["mercury234", "loaded"],
        ["sms", "loaded"],
    ]
