"""corefast as a package: what it says when it is not built, and that its stubs tell the truth."""

import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from corefast import crc, profile

ROOT = Path(__file__).parents[2]


def python(*arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=at,
        env={**os.environ, "MYPY_CACHE_DIR": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_core_says_how_to_build_it(tmp_path: Path) -> None:
    (tmp_path / "corefast").mkdir()
    shutil.copy(ROOT / "corefast/__init__.py", tmp_path / "corefast")
    done = python("-S", "-c", "import corefast.crc", at=tmp_path)  # nothing that is installed
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: corefast, the hub's compiled core, is not built")
    assert "pip install" in last
    assert "gcc" in last


@pytest.mark.parametrize("function", [crc.crc16, crc.seal, crc.is_sealed])
def test_one_frame_functions_are_plain_built_ins(function: object) -> None:
    """Any other kind of call costs more than the checksum."""
    assert type(function) is types.BuiltinFunctionType
    with pytest.raises(TypeError, match="keyword"):
        function(data=b"")


def test_numpy_is_not_needed(tmp_path: Path) -> None:
    program = (
        "import sys, array, corefast\n"
        "values = memoryview(bytes(range(96)) * 8).cast('I', (48, 4))\n"
        "block = corefast.profile.pack_day(values, bytes(48))\n"
        "print(corefast.profile.unpack_days([block], 48, 4)[0].tolist() == [values.tolist()],"
        " 'numpy' in sys.modules)"
    )
    assert python("-c", program, at=tmp_path).stdout == "True False\n"


@pytest.mark.e2e
def test_the_stubs_are_those_of_what_is_built() -> None:
    done = python("-m", "mypy.stubtest", "corefast", at=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def public(module: types.ModuleType) -> set[str]:
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }


def test_the_package_has_what_was_promised() -> None:
    assert public(crc) == {"check_frames", "crc16", "is_sealed", "seal"}
    assert public(profile) == {"BlockDamaged", "aggregate", "pack_day", "unpack_days"}
