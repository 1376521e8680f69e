"""What every backend is, and how one is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from appliance.engine.backends._graph import Stop
from appliance.errors import BackendUnavailable
from appliance.records import ModelInfo
from appliance.registry import discover

__all__ = ["Availability", "Backend", "Session", "backends", "candidates", "choose"]


class Availability(NamedTuple):
    """The answer of a probe: may it run here, why (not), and on which devices, best first."""

    ok: bool
    reason: str
    devices: tuple[str, ...] = ()


class Session(Protocol):
    """A model that is loaded on one device. One thread uses it at a time."""

    def run(self, batch: np.ndarray, stop: Stop | None = None) -> list[np.ndarray]:
        """Run the graph once.

        Args:
            batch: float32 ``[n, 3, height, width]``, RGB, 0..1, contiguous.
            stop: Ends the run from another thread, where the runtime can; else it goes to its end.

        Returns:
            The graph's outputs in its order, float32, first axis `n`.

        Raises:
            Stopped: `stop` was set.
            BackendUnavailable: The runtime gave up (out of memory, a lost device).
        """
        ...

    def close(self) -> None:
        """Free the model's memory; the session cannot run afterwards."""
        ...


class Backend(Protocol):
    """A runtime that runs graphs. Each is the constant ``BACKEND`` of one module.

    Attributes:
        name: What settings and messages call it.
        rank: The lowest available one is taken by ``auto``; None is never taken unasked.
    """

    name: str
    rank: int | None

    def probe(self) -> Availability:
        """Say whether it can run on this machine; imports its native library here, not before."""
        ...

    def load(self, path: Path, info: ModelInfo, device: str, threads: int | None = None) -> Session:
        """Load a model that `inspect` has passed, and warm it up.

        Args:
            path: The ONNX file.
            info: What the file says of itself.
            device: One of the probe's devices.
            threads: CPU threads, or None for one per physical core.

        Raises:
            UnusableModel: The runtime refuses the graph.
            BackendUnavailable: The device is not there or has no room.
        """
        ...


def backends() -> dict[str, Backend]:
    """Return all backends by name, available or not."""
    return discover("appliance.engine.backends", "BACKEND")


def choose(name: str = "auto", device: str = "auto") -> tuple[Backend, str]:
    """Pick the backend and the device to run on: the first of `candidates`.

    Raises:
        BackendUnavailable: There is none; the message says of each why not.
    """
    return candidates(backends(), name, device)[0]


def candidates(known: Mapping[str, Backend], name: str = "auto", device: str = "auto") -> list[tuple[Backend, str]]:
    """Return the backends that can run here, each with its device, best first; at least one.

    Args:
        known: Backends by name.
        name: A backend's name, or ``auto`` for all that are available.
        device: ``cpu``, ``cuda:0`` …, or ``auto`` for each backend's best device.

    Raises:
        BackendUnavailable: There is none; the message says of each why not.
    """
    if name != "auto" and name not in known:
        raise BackendUnavailable(f"there is no backend {name!r}; choose auto or one of {', '.join(known)}")
    ranked = sorted((b.rank, b.name) for b in known.values() if b.rank is not None)
    able, reasons = [], []
    for candidate in [name] if name != "auto" else [n for _, n in ranked]:
        found = known[candidate].probe()
        if found.ok and (device == "auto" or device in found.devices):
            able.append((known[candidate], found.devices[0] if device == "auto" else device))
        reasons.append(f"{candidate}: {found.reason}; devices: {', '.join(found.devices) or 'none'}")
    if not able:
        raise BackendUnavailable(f"no backend can run on {device}. {'. '.join(reasons)}")
    return able
