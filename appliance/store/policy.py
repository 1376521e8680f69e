"""What an administrator allows that is off unless somebody says so."""

from __future__ import annotations

from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["allow_pickles", "allows_pickles"]

_PICKLES = "allow_pickles"


def allows_pickles(reading: Reading) -> bool:
    """Tell whether checkpoints may run their own code while they are converted."""
    return bool(list(reading.execute("SELECT 1 FROM meta WHERE key = ? AND value = '1'", (_PICKLES,))))


def allow_pickles(tx: Transaction, allowed: bool) -> None:
    """Let checkpoints run their own code while they are converted, or no longer."""
    if allowed != allows_pickles(tx):
        tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_PICKLES, str(int(allowed))))
        tx.audit("model.pickles", "box", allowed=allowed)
