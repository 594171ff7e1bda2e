"""The wheel of this tree in an environment of its own: what users get, not the tree."""

import importlib.util
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proof.figures import ROOT


@contextmanager
def installed_python() -> Iterator[Path]:
    """Give the interpreter that has the installed hub; its dependencies are those of this one."""
    spec = importlib.util.spec_from_file_location("bench_run", ROOT / "benchmarks" / "run.py")
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        yield bench.install(bench.build(scratch), scratch / "environment")
