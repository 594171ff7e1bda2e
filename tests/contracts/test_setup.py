"""The two commands' first step: what a bare machine lacks is named in one line."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "requirements/system.sh"


@pytest.fixture
def machine(tmp_path):
    """Make a machine that has only the named programs."""

    def make(*programs, **answers):
        for program in programs:
            (tmp_path / program).symlink_to(shutil.which(program))
        for program, answer in answers.items():
            fake = tmp_path / program
            fake.write_text(f"#!/bin/sh\n{answer}\n")
            fake.chmod(0o755)
        return tmp_path

    return make


def check(path, *arguments):
    return subprocess.run(
        ["/bin/sh", SCRIPT, *arguments],
        env={"PATH": str(path), "PYTHON": "python3"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("what", "lacks"),
    [
        ("run", "python3 python3-venv python3-dev gcc"),
        ("test", "python3 python3-venv python3-dev gcc chromium git"),
    ],
)
def test_all_that_is_missing_is_one_apt_line(machine, what, lacks):
    done = check(machine(), what)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "apt-get" in line]
    assert lines == [f"    sudo apt-get install -y {lacks}"]


def test_fresh_debian_lacks_venv_and_headers(machine):
    fails = 'case "$2" in *ensurepip*|*Python.h*) exit 1;; esac'
    done = check(machine(python3=fails, gcc="exit 0"), "run")
    assert done.returncode == 1
    assert "    sudo apt-get install -y python3-venv python3-dev\n" in done.stderr


def test_old_python_is_named(machine):
    too_old = 'case "$2" in *version_info*) exit 1;; esac'
    done = check(machine(python3=too_old, gcc="exit 0"), "run")
    assert done.returncode == 1
    assert "Python 3.11 to 3.13 is needed" in done.stderr


def test_root_gets_them_installed(machine):
    path = machine(
        "rm",
        python3="exit 0",
        gcc="exit 0",
        git="exit 0",
        id="echo 0",
    )
    installs = f'echo "$@" >> {path}/said'
    fake = path / "apt-get"
    fake.write_text(f"#!/bin/sh\n{installs}\n")
    fake.chmod(0o755)
    done = check(path, "test", "--install")
    assert (done.returncode, done.stderr) == (0, "")
    said = (path / "said").read_text().splitlines()
    assert said[0].startswith("update")
    assert said[1].split()[-1] == "chromium"


def test_ci_does_what_people_do():
    ci = ROOT / ".ci/run"
    assert os.access(ci, os.X_OK)
    assert ci.read_text(encoding="utf-8").rstrip().endswith("exec make test")


def test_make_lists_its_commands():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("run", "test", "check", "bench", "proof", "screenshots"):
        assert f"make {target} " in done.stdout
        dry = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert dry.returncode == 0, dry.stderr
