"""Where the shared pictures and weights are, for tests and benches that use them."""

from __future__ import annotations

from pathlib import Path

import pytest

__all__ = ["ROOT", "shared"]

ROOT = Path(__file__).resolve().parent.parent
_SHARED = ROOT.parent / "shared"


def shared(relative: str) -> Path:
    """Return a path inside the shared folder beside the project, or skip the test with the reason."""
    path = _SHARED / relative
    if not path.exists():
        pytest.skip(f"needs {relative} of the shared folder beside the project", allow_module_level=True)
    return path
