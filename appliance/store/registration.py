"""Who may make an account: a door that administrators open and close while the box runs."""

from __future__ import annotations

from typing import get_args

from appliance.settings import Door
from appliance.store import meta
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["door", "set_door"]

_KEY = "registration"


def door(reading: Reading, default: Door) -> Door:
    """Return how the door stands: as an administrator chose last, else as the settings say."""
    chosen = meta.get(reading, _KEY)
    return next((one for one in get_args(Door) if one == chosen), default)


def set_door(tx: Transaction, chosen: Door) -> None:
    """Open or close the door from now on, whatever the settings say at the next start."""
    meta.put(tx, _KEY, chosen)
    tx.audit("registration.change", "box", registration=chosen)
    tx.event("registration.changed", {"registration": chosen})
