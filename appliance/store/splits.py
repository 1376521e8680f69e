"""Which images train, validate and test: decided by the picture's hash and a seed, in Python and in SQL."""

from __future__ import annotations

import hashlib
from typing import Any

import apsw

from appliance.records import Split

__all__ = ["OF_NEWEST", "register", "split_of"]

_VAL, _TEST = 0.1, 0.1

_SEED = "SELECT s.seed FROM snapshots AS s WHERE s.project_id = ? ORDER BY s.id DESC LIMIT 1"
OF_NEWEST = f"split_of(i.sha256, coalesce(({_SEED}), 0))"
"""As SQL, the split of image `i` under the seed of the newest snapshot of a project, its one parameter."""


def split_of(sha256: str, seed: int) -> Split:
    """Return train, val or test (80, 10, 10 %) from the picture's hash and the seed alone.

    So it never changes when images are added or removed.
    """
    digest = hashlib.sha256(f"{seed}:{sha256}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return "val" if place < _VAL else "test" if place < _VAL + _TEST else "train"


def register(connection: apsw.Connection) -> None:
    """Let SQL of this connection ask for a split: ``split_of(sha256, seed)``, the hash as raw bytes."""

    def of_row(*arguments: Any) -> str:
        sha256, seed = arguments
        return split_of(sha256.hex(), seed)

    connection.create_scalar_function("split_of", of_row, 2, deterministic=True)
