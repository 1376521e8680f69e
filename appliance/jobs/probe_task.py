"""A child's task: which runtimes can run models on this machine, and why the others cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from appliance.engine.backends._base import backends

__all__ = ["CHILD_TASK", "handle"]

CHILD_TASK = True


def handle(_request: dict[str, Any], _send: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Ask every backend that is ever taken unasked, the one that is taken first at the beginning."""
    found = []
    for _, name in sorted((backend.rank, name) for name, backend in backends().items() if backend.rank is not None):
        answer = backends()[name].probe()
        found.append({"name": name, "ok": answer.ok, "reason": answer.reason, "devices": list(answer.devices)})
    return {"backends": found}
