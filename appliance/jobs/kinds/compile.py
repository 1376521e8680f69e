"""Get a model ready for this device: build its engine where the runtime has such, and load it once."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from appliance.jobs._base import BATCH, Context, Kind
from appliance.jobs.plans import Watch
from appliance.store import models

__all__ = ["KIND", "CompileParameters"]


class CompileParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model; `device` in place of the setting's."""

    model_id: int
    device: str | None = None


def run(context: Context, parameters: CompileParameters) -> dict[str, Any]:
    """Load the model on the best runtime that takes it, and say which that is and why no better one."""
    from appliance.engine.decoders._base import PredictOptions

    started_s = time.monotonic()
    model = context.store.read(lambda reading: models.get(reading, parameters.model_id))

    def tell(message: str) -> None:
        context.commit(lambda _: None, message=message)

    watch = Watch(tell, context.pause_point)
    path = context.store.blobs.path(model.file().sha256)
    with context.runtimes.predictor(
        path, model.info, PredictOptions(), device=parameters.device, watch=watch
    ) as ready:
        return {
            "model_id": model.id,
            "backend": ready.backend,
            "device": ready.device,
            "fallback": context.runtimes.fallback(ready.backend),
            "seconds": round(time.monotonic() - started_s, 3),
        }


KIND = Kind(name="compile", lane="model", priority=BATCH, parameters=CompileParameters, run=run)
