"""The way models come in: inspected and run once in a limited child, then kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

import msgspec

from appliance.errors import ChildFailed, PixelQueueError, Unavailable, UnusableModel
from appliance.jobs import children
from appliance.records import Model, ModelInfo, Provenance
from appliance.store import Store, models
from appliance.store.blobs import Staged

__all__ = ["DEADLINE_S", "MEMORY_BYTES", "admit_model", "inspected", "model_name", "named"]

DEADLINE_S = 120.0
MEMORY_BYTES = 4 << 30
_WORDS = {
    "deadline": f"takes longer than {DEADLINE_S:g} s for its first run: export a smaller one",
    "memory": f"needs more than {MEMORY_BYTES >> 30} GiB for its first run: export a smaller one",
    "signal": "made the runtime crash at its first run: export it again, with another opset",
    "exit": "made the runtime end at its first run: export it again, with another opset",
    "unexpected": "made the runtime fail at its first run: export it again, with another opset",
}
_SUFFIXES = (".onnx", ".pt", ".pqmodel")
_one_at_a_time = threading.Lock()


def admit_model(
    store: Store,
    files: Mapping[str, Staged],
    *,
    name: str,
    provenance: Provenance,
    created_by: int | None,
    stopping: Callable[[], bool] = lambda: False,
) -> Model:
    """Take in weights nobody vouches for; blocks until they are durable.

    The staged files are used up, whatever the outcome. Weights that are there already are
    answered with the model that has them, restored where it was archived.

    Args:
        store: Where they go.
        files: The ONNX files' bytes by role, ``weights`` where there is one.
        name: The file as its sender named it; without folders and suffix the model's name.
        provenance: Where the weights come from.
        created_by: Who sent them.
        stopping: Asked now and then whether the appliance stops, which ends the inspection.

    Raises:
        UnusableModel: They cannot be used here; the message says why and names the file.
        StorageFull: The disk is nearly full.
        Unavailable: The appliance stops.
    """
    try:
        sha256 = models.content_sha256({role: staged.sha256 for role, staged in files.items()})
        known = store.read(lambda reading: models.by_content(reading, sha256))
        if known is not None and known.archived_at_ms is None:
            return known
        store.require_space()
        info = inspected(store, files, name, stopping) if known is None else known.info
        store.blobs.settle(list(files.values()))
        return store.write(
            lambda tx: models.create(
                tx,
                store.blobs,
                name=model_name(name),
                files=files,
                info=info,
                provenance=provenance,
                created_by=created_by,
            )
        )
    finally:
        for staged in files.values():
            staged.path.unlink(missing_ok=True)


def model_name(name: str) -> str:
    """Return what a model is called whose file its sender named so."""
    last = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(c for c in last if c.isprintable()).strip()
    suffix = next((one for one in _SUFFIXES if kept.lower().endswith(one)), "")
    return kept[: len(kept) - len(suffix)][:200]


def inspected(
    store: Store, files: Mapping[str, Staged], name: str, stopping: Callable[[], bool] = lambda: False
) -> ModelInfo:
    """Look at a model's files and run it once, in a limited child.

    Raises:
        UnusableModel: It cannot be used here; the message says why and names the file.
        Unavailable: The appliance stops.
    """

    def attend(_child: children.Child) -> float:
        if stopping():
            raise Unavailable("the appliance is stopping: send the file again in a moment", file=name)
        return 0.0

    request = {
        "do": "inspect",
        "files": {role: str(staged.path.absolute()) for role, staged in files.items()},
        "max_bytes": store.settings.max_model_bytes,
    }
    try:
        with _one_at_a_time:  # each may take gigabytes
            answer = children.once(
                "engine.worker", request, attend=attend, deadline_s=DEADLINE_S, memory_bytes=MEMORY_BYTES
            )
    except PixelQueueError as error:
        raise named(error, files, name) from error
    return msgspec.convert(answer["info"], ModelInfo)


def named(error: PixelQueueError, files: Mapping[str, Staged], name: str) -> PixelQueueError:
    """Say it of the file as its sender knows it, not of the temporary one."""
    if isinstance(error, UnusableModel):
        message = error.message
        for role, staged in files.items():
            shown = name if len(files) == 1 else f"{name} ({role})"
            message = message.replace(str(staged.path.absolute()), shown).replace(staged.path.name, shown)
        return UnusableModel(f"{name}: {message}", file=name, details=error.details)
    if isinstance(error, ChildFailed) and error.details.get("reason") in _WORDS:
        return UnusableModel(f"{name} {_WORDS[error.details['reason']]}", file=name)
    return error
