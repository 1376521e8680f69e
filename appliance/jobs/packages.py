"""A model as one file, to be carried to another box: docs/formats.md describes it.

It is a zip archive with ``manifest.json`` and the model's files, uncompressed, each with its hash
in the manifest. The same model always gives the same bytes.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from appliance.errors import ChildFailed, PixelQueueError, Unavailable, UnsafeArchive
from appliance.jobs import children
from appliance.jobs.weights import DEADLINE_S, MEMORY_BYTES, named
from appliance.records import Model, ModelFile, ModelInfo, Provenance, Record
from appliance.store import Store, models
from appliance.store.blobs import Staged

__all__ = ["MANIFEST", "SUFFIX", "Manifest", "admit_package", "file_name", "packed", "path_in", "write"]

SUFFIX = ".pqmodel"
MANIFEST = "manifest.json"
_BEGINNING = (1980, 1, 1, 0, 0, 0)
_TASK = "jobs.package_task"
_CACHED = "models"


class Manifest(Record, frozen=True):
    """What stands beside the files of a package; `model` says what they are, and is checked against them."""

    format: Literal["pixelqueue-model"]
    version: Literal[1]
    name: str
    model_version: int
    info: ModelInfo
    metrics: dict[str, float]
    provenance: Provenance
    files: list[ModelFile]


def write(store: Store, model: Model, target: Path) -> None:
    """Write a model's package.

    Raises:
        StoreCorrupt: A stored file does not match its name.
    """
    manifest = Manifest(
        format="pixelqueue-model",
        version=1,
        name=model.name,
        model_version=model.version,
        info=model.info,
        metrics=model.metrics,
        provenance=model.provenance,
        files=model.files,
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package:
        package.writestr(zipfile.ZipInfo(MANIFEST, _BEGINNING), msgspec.json.format(msgspec.json.encode(manifest)))
        for file in model.files:
            entry = zipfile.ZipInfo(path_in(file.role), _BEGINNING)
            entry.file_size = file.size_bytes
            with package.open(entry, "w") as sink, store.blobs.path(file.sha256).open("rb") as source:
                shutil.copyfileobj(source, sink, 1 << 20)


def packed(store: Store, model: Model) -> Path:
    """Return the model's package in the cache, writing it where it is missing; blocks on file I/O."""
    key = f"{model.sha256}-{model.id}{SUFFIX}"
    present = store.cache.get(_CACHED, key)
    if present is not None:
        return present
    store.require_space(model.size_bytes)
    return store.cache.put(_CACHED, key, lambda partial: write(store, model, partial))


def path_in(role: str) -> str:
    """Return where a role's file lies in a package."""
    return f"files/{role}.onnx"


def file_name(model: Model) -> str:
    """Return what a model's package is called."""
    kept = "".join(c if c.isalnum() or c in "._-" else "-" for c in model.title).strip("-.")
    return f"{kept[:80] or 'model'}{SUFFIX}"


def admit_package(
    store: Store,
    staged: Staged,
    *,
    name: str,
    created_by: int | None,
    stopping: Callable[[], bool] = lambda: False,
) -> Model:
    """Take in a model from a package nobody vouches for; blocks until it is durable.

    A limited child unpacks it, holds every file to its hash, inspects the model and runs it once;
    nothing is kept before all of that is well. The staged file is used up, whatever the outcome.

    Raises:
        UnsafeArchive: It is no package, or a hostile one.
        ChecksumMismatch: A file is not what the manifest says.
        UnusableModel: The model cannot be used here.
        StorageFull: The disk is nearly full.
        Unavailable: The appliance stops.
    """
    folder = store.temporary / f"package-{staged.path.name}"
    files: dict[str, Staged] = {}
    try:
        store.require_space(staged.size_bytes)
        folder.mkdir(mode=0o700)
        manifest = _read(store, staged, folder, name, stopping)
        for file in manifest.files:
            files[file.role] = store.blobs.stage_link(folder / path_in(file.role))
        if {role: one.sha256 for role, one in files.items()} != {f.role: f.sha256 for f in manifest.files}:
            raise UnsafeArchive(f"{name} changed while it was read: send it again", file=name)
        store.blobs.settle(list(files.values()))
        imported = {"name": manifest.name, "version": manifest.model_version, "sha256": staged.sha256}
        provenance = msgspec.structs.replace(manifest.provenance, imported=imported)
        return store.write(
            lambda tx: models.create(
                tx,
                store.blobs,
                name=manifest.name,
                files=files,
                info=manifest.info,
                provenance=provenance,
                created_by=created_by,
                metrics=manifest.metrics,
            )
        )
    finally:
        staged.path.unlink(missing_ok=True)
        for one in files.values():
            one.path.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def _read(store: Store, staged: Staged, folder: Path, name: str, stopping: Callable[[], bool]) -> Manifest:
    def attend(_child: children.Child) -> float:
        if stopping():
            raise Unavailable("the appliance is stopping: send the file again in a moment", file=name)
        return 0.0

    request = {
        "path": str(staged.path.absolute()),
        "folder": str(folder.absolute()),
        "name": name,
        "max_bytes": store.settings.max_model_bytes,
    }
    try:
        answer = children.once(
            _TASK, request, attend=attend, deadline_s=DEADLINE_S, memory_bytes=MEMORY_BYTES, network=False
        )
    except ChildFailed as error:
        raise named(error, {}, name) from error
    except PixelQueueError as error:
        error.file = name
        raise
    return msgspec.convert(answer, Manifest)
