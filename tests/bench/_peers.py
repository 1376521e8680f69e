"""Scratch environments for peers, below .venv-peers/ of the project."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from tests._shared import ROOT

__all__ = ["PeerMissing", "environment", "ultralytics_python"]

_FOLDER = ROOT / ".venv-peers"


class PeerMissing(Exception):
    """A peer cannot be installed or made to run here; the message says why."""


def environment(name: str, *wanted: str) -> Path:
    """Return the `bin` folder of an environment that has what `wanted` tells uv to install.

    Raises:
        PeerMissing: There is no uv, or it cannot install it.
    """
    folder = _FOLDER / name
    stamp = folder / ".installed"
    if not stamp.exists() or stamp.read_text() != " ".join(wanted):
        print(f"installing {name}, which takes minutes", file=sys.stderr)
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *wanted)
        stamp.write_text(" ".join(wanted))
    return folder / "bin"


def ultralytics_python() -> Path:
    """Return an interpreter with ultralytics and torch: this one where it has the train extra.

    Raises:
        PeerMissing: It cannot be installed.
    """
    if importlib.util.find_spec("ultralytics") and importlib.util.find_spec("torch"):
        return Path(sys.executable)
    locked = ROOT / "packaging" / "requirements" / "train.txt"
    return environment("ultralytics", "--require-hashes", "-r", str(locked)) / "python"


def _uv(*arguments: str) -> None:
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise PeerMissing("uv is needed to install it: ./run sets it up")
    done = subprocess.run([uv, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerMissing(f"it cannot be installed: {done.stderr.strip()[-300:]}")
