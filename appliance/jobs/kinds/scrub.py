"""Read every stored file from the disk and compare it with its name; resumable at any file."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from appliance.jobs._background import yield_to_everybody
from appliance.jobs._base import MAINTENANCE, Context, Kind
from appliance.records import Note
from appliance.settings import Settings
from appliance.store import Reading, scrub
from appliance.store.scrub import Faulty, Stored

__all__ = ["KIND", "ScrubParameters"]

_ASK_EVERY_S = 3600.0
_FILES = 200
_SLICE_BYTES = 16 << 20
_WORDS = {"damaged": "does not match its name and was put aside", "missing": "is missing"}


class ScrubParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose: how often one starts by itself is a setting."""


def run(context: Context, _parameters: ScrubParameters) -> dict[str, Any]:
    """Go over the blobs by hash, slice by slice; a checkpoint names the last one that was judged."""
    yield_to_everybody()
    job_id = context.job.id
    total = context.commit(lambda tx: scrub.begin(tx, job_id))
    kept = {"after": "", "files": 0, "bytes": 0, "damaged": 0, "missing": 0} | context.checkpoint
    while found := _next(context, kept["after"]):
        looked: list[Stored] = []
        faulty: list[Faulty] = []
        for stored in found:
            context.pause_point()
            if (fault := _judged(context, stored)) is not None:
                faulty.append(Faulty(stored.sha256, fault))
                context.note(_note(context, stored, fault))
                kept[fault] += 1
            looked.append(stored)
            if sum(one.stored_bytes for one in looked) >= _SLICE_BYTES:
                break
        kept |= {"after": looked[-1].sha256, "files": kept["files"] + len(looked)}
        kept["bytes"] += sum(one.stored_bytes for one in looked)
        context.commit(
            partial(scrub.record, job_id=job_id, looked=looked, faulty=faulty),
            checkpoint=dict(kept),
            progress=kept["files"],
            total=max(total, kept["files"]),
            message=f"{kept['bytes'] >> 20} MiB read, {kept['damaged'] + kept['missing']} faults",
        )
    context.commit(lambda tx: scrub.record(tx, job_id, looked=[], faulty=[], finished=True))
    return {name: kept[name] for name in ("files", "bytes", "damaged", "missing")}


def _next(context: Context, after: str) -> list[Stored]:
    return context.store.read(lambda reading: scrub.stretch(reading, bytes.fromhex(after), _FILES))


def _judged(context: Context, stored: Stored) -> scrub.Fault | None:
    fault = scrub.look(context.store.blobs, stored, context.pause_point)
    return None if fault is None else scrub.quarantined(context.store, stored, fault)


def _note(context: Context, stored: Stored, fault: str) -> Note:
    owners = context.store.read(lambda reading: scrub.owners(reading, stored.sha256))
    named = ", ".join(f"{owner.what} {owner.name}" for owner in owners) or "nothing refers to it"
    message = f"the stored file {stored.sha256[:12]} {_WORDS[fault]}: {named}"
    return Note(code=f"blob-{fault}", message=message, file=owners[0].name if owners else None)


def _due(reading: Reading, settings: Settings, now_ms: int) -> bool:
    """Tell whether the last reading began longer ago than the setting says, however it ended.

    Before the first one it counts from the oldest file: what came just now was hashed just now.
    """
    newest, _ = scrub.latest(reading)
    since_ms = scrub.oldest_ms(reading) if newest is None else newest.started_at_ms
    every_ms = settings.scrub_every_s * 1000
    return every_ms > 0 and since_ms is not None and now_ms - since_ms >= every_ms


KIND = Kind(
    name="scrub", lane="io", priority=MAINTENANCE, parameters=ScrubParameters, run=run,
    every_s=_ASK_EVERY_S, due=_due,
)  # fmt: skip
