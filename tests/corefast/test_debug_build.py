"""The core built for debugging: same answers, no warning, nothing undefined."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = (
    "reference.py",
    "test_corefast_crc.py",
    "test_corefast_aggregate.py",
    "test_corefast_blocks.py",
)


def run(*command: str, at: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=at,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.e2e
def test_the_debug_build_passes_the_same_tests(tmp_path: Path) -> None:
    """In a copy: Python would prefer a debug build beside the release one."""
    shutil.copytree(
        ROOT / "corefast", tmp_path / "corefast", ignore=shutil.ignore_patterns("*.so", "*.c")
    )
    shutil.copy(ROOT / "setup.py", tmp_path)
    (tmp_path / "tests").mkdir()
    for name in TESTS:
        shutil.copy(Path(__file__).parent / name, tmp_path / "tests")
    run(sys.executable, "setup.py", "build_ext", "--inplace", at=tmp_path, COREFAST_DEBUG="1")

    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    built = sorted(path.name for path in (tmp_path / "corefast").glob("*.so"))
    assert built == [f"crc{suffix}", f"profile{suffix}"]
    answer = run(
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests",
        at=tmp_path,
        UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
    )
    assert "passed" in answer
    where = "import corefast.crc as c; print(c.__file__)"
    assert run(sys.executable, "-c", where, at=tmp_path).strip().startswith(str(tmp_path))
