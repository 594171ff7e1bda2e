"""Builds corefast, the compiled core; everything else is in pyproject.toml."""

import os
import sysconfig

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel

DEBUG = os.environ.get("COREFAST_DEBUG") == "1"
# The limited API serves every GIL build from 3.11 on with one wheel; a free-threaded
# interpreter has none and builds its own.
ABI3 = not DEBUG and not sysconfig.get_config_var("Py_GIL_DISABLED")


class Abi3Wheel(bdist_wheel):
    """One cp311-abi3 wheel for all interpreters with a GIL."""

    def finalize_options(self) -> None:
        super().finalize_options()
        if ABI3:
            self.py_limited_api = "cp311"


def extension(name: str) -> Extension:
    return Extension(
        f"corefast.{name}",
        [f"corefast/{name}.pyx"],
        define_macros=[("Py_LIMITED_API", "0x030B0000")] if ABI3 else [],
        py_limited_api=ABI3,
        extra_compile_args=["-O3", "-Wall", "-Wextra", "-Wno-unused-parameter"],
    )


setup(
    ext_modules=cythonize(
        [extension("crc"), extension("profile")],
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG,
            "wraparound": False,
            "cdivision": True,
            "embedsignature": False,
            "freethreading_compatible": True,
            # A plain METH_O: with Cython's defaults an abi3 call costs more than a frame's CRC.
            "binding": False,
            "always_allow_keywords": False,
        },
    ),
    cmdclass={"bdist_wheel": Abi3Wheel},
)
