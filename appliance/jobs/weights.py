"""The way models come in: inspected and run once in a limited child, then kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import msgspec

from appliance.errors import ChildFailed, PixelQueueError, Unavailable, UnusableModel
from appliance.jobs import children
from appliance.records import Model, ModelInfo
from appliance.store import Store, Transaction, models
from appliance.store.blobs import Staged

__all__ = ["admit_model"]

_DEADLINE_S = 120.0
_MEMORY_BYTES = 4 << 30
_WORDS = {
    "deadline": f"takes longer than {_DEADLINE_S:g} s for its first run: export a smaller one",
    "memory": f"needs more than {_MEMORY_BYTES >> 30} GiB for its first run: export a smaller one",
    "signal": "made the runtime crash at its first run: export it again, with another opset",
    "exit": "made the runtime end at its first run: export it again, with another opset",
    "unexpected": "made the runtime fail at its first run: export it again, with another opset",
}
_one_at_a_time = threading.Lock()


def admit_model(
    store: Store,
    staged: Staged,
    *,
    name: str,
    provenance: dict[str, Any],
    created_by: int | None,
    stopping: Callable[[], bool] = lambda: False,
) -> Model:
    """Take in weights nobody vouches for; blocks until they are durable.

    The staged file is used up, whatever the outcome. Weights that are there already are
    answered with the model that has them.

    Args:
        store: Where it goes.
        staged: The ONNX file's bytes.
        name: The file as its sender named it; without folders and ``.onnx`` the model's name.
        provenance: Where the weights come from, JSON-able.
        created_by: Who sent them.
        stopping: Asked now and then whether the appliance stops, which ends the inspection.

    Raises:
        UnusableModel: They cannot be used here; the message says why and names the file.
        StorageFull: The disk is nearly full.
        Unavailable: The appliance stops.
    """
    try:
        known = store.read(lambda reading: models.by_content(reading, staged.sha256))
        if known is not None:
            return known
        store.require_space()
        info = _inspect(store, staged, name, stopping)
        store.blobs.settle([staged])
        return store.write(lambda tx: _create(tx, store, staged, name, info, provenance, created_by))
    finally:
        staged.path.unlink(missing_ok=True)


def _create(
    tx: Transaction,
    store: Store,
    staged: Staged,
    name: str,
    info: ModelInfo,
    provenance: dict[str, Any],
    created_by: int | None,
) -> Model:
    known = models.by_content(tx, staged.sha256)
    if known is not None:
        return known
    return models.create(
        tx,
        store.blobs,
        name=_model_name(name),
        staged=staged,
        info=info,
        provenance=provenance,
        created_by=created_by,
    )


def _model_name(name: str) -> str:
    last = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(c for c in last if c.isprintable()).strip()
    return (kept[:-5] if kept.lower().endswith(".onnx") else kept)[:200]


def _inspect(store: Store, staged: Staged, name: str, stopping: Callable[[], bool]) -> ModelInfo:
    def attend(_child: children.Child) -> float:
        if stopping():
            raise Unavailable("the appliance is stopping: send the file again in a moment", file=name)
        return 0.0

    request = {
        "do": "inspect",
        "path": str(staged.path.absolute()),
        "max_bytes": store.settings.max_model_bytes,
    }
    try:
        with _one_at_a_time:  # each may take gigabytes
            answer = children.once(
                "engine.worker", request, attend=attend, deadline_s=_DEADLINE_S, memory_bytes=_MEMORY_BYTES
            )
    except PixelQueueError as error:
        raise _named(error, staged, name) from error
    return msgspec.convert(answer["info"], ModelInfo)


def _named(error: PixelQueueError, staged: Staged, name: str) -> PixelQueueError:
    """Say it of the file as its sender knows it, not of the temporary one."""
    if isinstance(error, UnusableModel):
        message = error.message.replace(str(staged.path.absolute()), name).replace(staged.path.name, name)
        return UnusableModel(f"{name}: {message}", file=name, details=error.details)
    if isinstance(error, ChildFailed) and error.details.get("reason") in _WORDS:
        return UnusableModel(f"{name} {_WORDS[error.details['reason']]}", file=name)
    return error
