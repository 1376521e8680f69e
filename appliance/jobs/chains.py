"""Answers that somebody may go on from, as the model gave them: finer than the masks that were sent."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from appliance.jobs.embeddings import Key

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Chains"]

_KEPT = 64
"""Answers held, of 256 KiB each: the last few of everybody who clicks."""


class Chains:
    """The logits of the last answers by a handle that only who asked has; the oldest go first."""

    def __init__(self) -> None:
        self._all: OrderedDict[str, tuple[Key, np.ndarray]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: Key, logits: np.ndarray) -> str:
        """Hold an answer about what `key` names, and return its handle."""
        handle = secrets.token_urlsafe(12)
        with self._lock:
            self._all[handle] = (key, logits)
            while len(self._all) > _KEPT:
                self._all.popitem(last=False)
        return handle

    def get(self, handle: str | None, key: Key) -> np.ndarray | None:
        """Return an answer; None where it is gone, or was about something else."""
        with self._lock:
            about, logits = self._all.get(handle or "", (None, None))
        return logits if about == key else None
