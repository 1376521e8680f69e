"""Measure what takes the space, by kind, project and age; a page then only reads what is kept."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from appliance.jobs._background import yield_to_everybody
from appliance.jobs._base import MAINTENANCE, Context, Kind
from appliance.store import storage

__all__ = ["KIND", "MeasureParameters"]

_EVERY_S = 6 * 3600.0
_STRETCH = 500
_LARGEST = 30


class MeasureParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


def run(context: Context, _parameters: MeasureParameters) -> dict[str, Any]:
    """Go over the blobs by hash, then over the cache; interrupted, it begins anew."""
    yield_to_everybody()
    store, now_ms = context.store, context.store.clock.now_ms()
    uses: Counter[tuple[str, int, str]] = Counter()
    files: Counter[tuple[str, int, str]] = Counter()
    largest: list[storage.Use] = []
    total, _ = store.read(storage.totals)
    after, seen = b"", 0
    while True:
        context.pause_point()
        with store.reading() as reading:
            found = storage.stretch(reading, after, _STRETCH)
        if not found:
            break
        for use in found:
            key = (use.kind, use.project_id, storage.age_of(use.created_at_ms, now_ms))
            uses[key] += use.bytes
            files[key] += 1
        largest = sorted([*largest, *found], key=lambda use: -use.bytes)[:_LARGEST]
        after, seen = bytes.fromhex(found[-1].sha256), seen + len(found)
        context.commit(lambda _tx: None, progress=seen, total=max(total, seen))
    cache = store.cache.measured(context.pause_point)
    context.commit(lambda tx: storage.keep(tx, uses, files, largest, cache))
    return {"files": seen, "bytes": sum(uses.values()), "cache_bytes": sum(size for _, size in cache.values())}


KIND = Kind(name="measure", lane="io", priority=MAINTENANCE, parameters=MeasureParameters, run=run, every_s=_EVERY_S)
