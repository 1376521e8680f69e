"""What the tests compile: libraries that stand in for NVIDIA's where there is no GPU."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["compiled", "interpreter"]

HERE = Path(__file__).parent


def compiled(source: str, library: Path) -> Path:
    """Compile one of this folder's C files to a shared library, or skip where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler: install gcc")
    library.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(HERE / source)], check=True)
    return library


def interpreter(folder: Path, **variables: str) -> Path:
    """Write a Python that has TensorRT and a GPU, both stand-ins, as a site names it in its settings."""
    compiled("cuda.c", folder / "lib" / "libcuda.so.1")
    named = {"PYTHONPATH": HERE / "stand_in", "LD_LIBRARY_PATH": folder / "lib", **variables}
    words = " ".join(f"{name}='{value}'" for name, value in named.items())
    path = folder / "python3"
    path.write_text(f'#!/bin/sh\nexec env {words} {sys.executable} "$@"\n')
    path.chmod(0o755)
    return path
