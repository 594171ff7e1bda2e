"""Build the wheel, install it into a clean environment, run the benchmarks there.

    python benchmarks/run.py [--json FILE] [WHAT ...]

WHAT is one or more of the benchmark files, say crc16 or aggregate; without it all of them run. The
last lines are the figures: name, figure, goal. The peers (numpy, fastcrc) are those of the Python
that runs this script, the hub is not: the clean environment has only the wheel.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parent
LITTER = shutil.ignore_patterns(".*", "*.egg-info", "*.so", "__pycache__")
NOT_PACKAGED = {"build", "dist", "demo", "docs", "tests"}  # at the top; hub has a demo of its own


def left_out(folder: str, names: list[str]) -> set[str]:
    found = LITTER(folder, names)
    return found | NOT_PACKAGED if Path(folder) == TREE else found


def build(into: Path) -> Path:
    """Build from a copy, so that nothing old gets into the wheel."""
    source = into / "source"
    shutil.copytree(TREE, source, ignore=left_out)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(into), str(source)], check=True)  # noqa: S603
    (wheel,) = into.glob("*.whl")
    return wheel


def install(wheel: Path, into: Path) -> Path:
    """Make the environment: our wheel, and behind it the peers."""
    venv.create(into, symlinks=True)
    python = into / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", str(wheel)], check=True)  # noqa: S603
    (packages,) = into.glob("lib/python*/site-packages")
    # A folder named in a .pth is searched, but its own .pth files, the editable hub, are not read.
    peers = sysconfig.get_paths()["purelib"]
    (packages / "peers.pth").write_text(peers + "\n", encoding="utf-8")
    return python


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to FILE too")
    parser.add_argument("what", nargs="*", metavar="WHAT", help="crc16, aggregate, …; all if none")
    options = parser.parse_args()
    files = [HERE / f"test_{name}.py" for name in options.what] or [HERE]
    for file in files:
        if not file.exists():
            parser.error(f"no benchmark {file.name}")

    with tempfile.TemporaryDirectory(prefix="corefast-bench-") as folder:
        scratch = Path(folder)
        python = install(build(scratch), scratch / "environment")
        command = [str(python), "-m", "pytest", *map(str, files), "--benchmark-only", "-q"]
        command += ["--rootdir", str(TREE), "-c", str(TREE / "pyproject.toml")]
        command += ["-p", "no:randomly", "-p", "no:cacheprovider", "--benchmark-columns"]
        command += ["min,median,ops", "--timeout", "0"]
        if options.json:
            command += ["--figures", str(options.json.resolve())]
        # numpy's own limits of threads and sizes would be measured instead of numpy.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OPENBLAS_", "PYTHONPATH"))
        }
        return subprocess.run(command, cwd=scratch, env=environment, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
