"""Sweep up: blobs nobody refers to, files without a row, old events, ended sessions and limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import msgspec

from appliance.jobs._base import MAINTENANCE, Context, Kind
from appliance.registry import discover
from appliance.store import Transaction, collect, events, limits, sessions

__all__ = ["KIND", "CollectParameters"]

T = TypeVar("T")

_SLICE = 100
_EVERY_S = 6 * 3600.0
_GRACE_WHEN_FULL_S = 15 * 60
"""On a full disk the grace only has to outlast an upload that is under way."""

_JOBS_KEPT_MS = 7 * 24 * 3600 * 1000


class CollectParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose: the grace and the retention are settings."""


def run(context: Context, _parameters: CollectParameters) -> dict[str, Any]:
    """Do all sweeps, slice by slice; interrupted, it begins anew, which costs nothing but time."""
    settings = context.settings
    now_ms = context.store.clock.now_ms()
    grace_s = settings.blob_grace_s
    if context.store.free_bytes() < settings.free_floor_bytes:
        grace_s = min(grace_s, _GRACE_WHEN_FULL_S)
    else:
        context.store.reserve.keep()
    before_ms = now_ms - grace_s * 1000
    chores = sorted(name for name, kind in discover("appliance.jobs.kinds", "KIND").items() if kind.every_s)
    swept = {
        "job_blobs": _repeat(context, lambda tx: collect.release_job_blobs(tx, before_ms)),
        "jobs": _repeat(context, lambda tx: collect.finished_jobs(tx, chores, now_ms - _JOBS_KEPT_MS)),
        "blobs": _sweep_blobs(context, before_ms, grace_s),
        "files": _sweep_files(context, grace_s),
        "events": _repeat(context, lambda tx: events.trim(tx, settings.event_retention)),
    }
    context.commit(limits.purge)
    context.commit(lambda tx: sessions.purge(tx, idle_s=settings.session_idle_s, max_s=settings.session_max_s))
    return swept


def _sweep_blobs(context: Context, before_ms: int, grace_s: int) -> int:
    store = context.store
    swept = 0
    after: tuple[int, bytes] | None = collect.BEGINNING
    while after is not None:
        with store.reading() as reading:
            found, after = collect.scan(reading, before_ms, after)
        for slice_ in _slices(found):
            context.pause_point()
            delete = partial(
                collect.delete_blobs, blobs=store.blobs, hashes=slice_, before_ms=before_ms, grace_s=grace_s
            )
            swept += context.commit(delete)
    return swept


def _sweep_files(context: Context, grace_s: int) -> int:
    store = context.store
    names = (name for name, _ in store.blobs.files() if re.fullmatch(r"[0-9a-f]{64}", name))
    swept = 0
    for slice_ in _slices(names):
        context.pause_point()
        with store.reading() as reading:
            found = collect.unregistered(reading, store.blobs, slice_, grace_s)
        if found:
            delete = partial(collect.delete_files, blobs=store.blobs, hashes=found, grace_s=grace_s)
            swept += context.commit(delete)
    return swept


def _repeat(context: Context, work: Callable[[Transaction], int]) -> int:
    total = 0
    while True:
        context.pause_point()
        done = context.commit(work)
        total += done
        if not done:
            return total


def _slices(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while slice_ := list(islice(rest, _SLICE)):
        yield slice_


KIND = Kind(name="collect", lane="io", priority=MAINTENANCE, parameters=CollectParameters, run=run, every_s=_EVERY_S)
