"""Empty the cache: everything in it is made again when somebody asks for it."""

from __future__ import annotations

from typing import Any

import msgspec

from appliance.jobs._base import BATCH, Context, Kind

__all__ = ["KIND", "ClearCacheParameters"]


class ClearCacheParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose: what is in use is made again."""


def run(context: Context, _parameters: ClearCacheParameters) -> dict[str, Any]:
    """Remove the files folder by folder; what was made meanwhile may stay."""
    files, size = context.store.cache.clear(context.pause_point)
    return {"files": files, "bytes": size}


KIND = Kind(name="clear-cache", lane="io", priority=BATCH, parameters=ClearCacheParameters, run=run)
