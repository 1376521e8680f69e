"""Make a model of a checkpoint: converted in a throw-away child, then admitted like any other."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec

from appliance.errors import Conflict
from appliance.jobs import conversion
from appliance.jobs._base import FOREGROUND, Context, Kind
from appliance.jobs.conversion import Made
from appliance.jobs.weights import inspected, model_name
from appliance.records import Model, Provenance, Sha256
from appliance.store import Transaction, jobs, models, policy
from appliance.store.blobs import Staged

__all__ = ["KIND", "ConvertParameters"]

_STEPS = ("reading the checkpoint", "building the model", "exporting to ONNX", "comparing with the checkpoint")
_LAST = ("trying it out", "keeping it")


class ConvertParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The checkpoint's bytes, which came with the job, and its name; `trusted` lets its own code run."""

    checkpoint: Sha256
    name: str
    trusted: bool = False


def run(context: Context, parameters: ConvertParameters) -> dict[str, Any]:
    """Convert, inspect and keep; a run that was interrupted begins anew, or finds the model made."""
    if "model_id" in context.checkpoint:
        return dict(context.checkpoint)
    if parameters.trusted and not context.store.read(policy.allows_pickles):
        raise Conflict("checkpoints that run their own code are not allowed here: an administrator may allow them")
    store = context.store
    store.require_space()
    folder = store.temporary / f"convert-{context.job.id}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        made = conversion.convert(
            context.child,
            context.settings,
            store.blobs.path(parameters.checkpoint),
            parameters.name,
            folder,
            trusted=parameters.trusted,
            tell=lambda step: _tell(context, step),
        )
        model = _kept(context, parameters, made)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"model_id": model.id}


def _tell(context: Context, step: str) -> None:
    steps = (*_STEPS, *_LAST)
    at = steps.index(step) if step in steps else 0
    context.commit(lambda _: None, progress=at, total=len(steps), message=step)


def _kept(context: Context, parameters: ConvertParameters, made: Made) -> Model:
    store = context.store
    staged: dict[str, Staged] = {}
    try:
        for role, path in made.files.items():
            staged[role] = _staged(context, Path(path))
        _tell(context, _LAST[0])
        info = inspected(store, staged, parameters.name, lambda: _stopped(context))
        _tell(context, _LAST[1])
        store.blobs.settle(list(staged.values()))
        provenance = Provenance(
            file=parameters.name,
            source_sha256=parameters.checkpoint,
            parameters=made.parameters or None,
            conversion=made.conversion,
        )

        def write(tx: Transaction) -> Model:
            model = models.create(
                tx,
                store.blobs,
                name=model_name(parameters.name),
                files=staged,
                info=info,
                provenance=provenance,
                created_by=context.job.created_by,
                metrics=made.metrics,
            )
            jobs.advance(tx, context.job.id, checkpoint={"model_id": model.id})
            return model

        return context.commit(write, progress=len(_STEPS) + len(_LAST))
    finally:
        for one in staged.values():
            one.path.unlink(missing_ok=True)


def _staged(context: Context, path: Path) -> Staged:
    with path.open("rb") as file:
        return context.store.blobs.stage(iter(lambda: file.read(1 << 20), b""))


def _stopped(context: Context) -> bool:
    context.pause_point()
    return False


KIND = Kind(name="convert", lane="cpu", priority=FOREGROUND, parameters=ConvertParameters, run=run)
