"""Builds corefast, the compiled core; everything else is in pyproject.toml.

COREFAST_DEBUG=1 builds it with assertions, bounds checks, line tracing, traps for undefined
behaviour and the compiler's warnings as errors. That build has another file name, which Python
prefers to the release one, so make it in a copy of the tree, as
tests/corefast/test_debug_build.py does.
"""

import os
import sysconfig

from Cython.Build import cythonize
from Cython.Compiler import Options
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel

DEBUG = os.environ.get("COREFAST_DEBUG") == "1"
# The limited API serves every GIL build from 3.11 on with one wheel; a free-threaded
# interpreter has none and builds its own.
ABI3 = not DEBUG and not sysconfig.get_config_var("Py_GIL_DISABLED")
WARN = ["-Wall", "-Wextra", "-Wno-unused-parameter"]
# A stranger's newer compiler may warn about what ours does not: errors only where we develop.
DEBUG_C = ["-O1", "-g", "-UNDEBUG", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover"]
TRACE = [("CYTHON_TRACE", "1")]

Options.warning_errors = True


class Abi3Wheel(bdist_wheel):
    """One cp311-abi3 wheel for all interpreters with a GIL."""

    def finalize_options(self) -> None:
        if ABI3:
            self.py_limited_api = "cp311"
        super().finalize_options()


def extension(name: str, *headers: str) -> Extension:
    return Extension(
        f"corefast.{name}",
        [f"corefast/{name}.pyx"],
        depends=[f"corefast/{header}" for header in headers],
        include_dirs=["corefast"],
        define_macros=[("Py_LIMITED_API", "0x030B0000")] if ABI3 else TRACE if DEBUG else [],
        py_limited_api=ABI3,
        extra_compile_args=WARN + (DEBUG_C if DEBUG else ["-O3"]),
        extra_link_args=["-fsanitize=undefined"] if DEBUG else [],
    )


setup(
    ext_modules=cythonize(
        [
            extension("crc", "crc16.h"),
            extension("profile", "aggregate.h", "block.h", "memory.h"),
        ],
        # The directives are no part of a generated file's name, so each build has its own folder.
        build_dir=f"build/cython-{'debug' if DEBUG else 'release'}",
        force=True,  # nor are they a reason to generate it anew, and two seconds are not much
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG,
            "linetrace": DEBUG,
            "wraparound": False,
            "cdivision": True,
            "embedsignature": False,
            "autotestdict": False,
            "freethreading_compatible": True,
            # A plain METH_O: with Cython's defaults an abi3 call costs more than a frame's CRC.
            "binding": False,
            "always_allow_keywords": False,
        },
    ),
    cmdclass={"bdist_wheel": Abi3Wheel},
)
