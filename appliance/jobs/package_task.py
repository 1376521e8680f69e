"""A child's task: unpack a model's package, hold it to its manifest, and try the model out."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance.engine.worker import try_out
from appliance.errors import ChecksumMismatch, UnsafeArchive, UnusableModel
from appliance.jobs.archives import unpack
from appliance.jobs.packages import MANIFEST, Manifest, path_in
from appliance.records import ModelInfo

__all__ = ["CHILD_TASK", "handle"]

CHILD_TASK = True
"""May be run by `jobs.child`."""

_MAX_MANIFEST_BYTES = 16 << 20
_MAX_FILES = 8


def handle(request: dict[str, Any], _send: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Unpack the package at ``path`` into ``folder`` and return its manifest, every word of it checked.

    Raises:
        UnsafeArchive: It is no package, or holds what a package does not.
        ChecksumMismatch: A file is not what the manifest says.
        UnusableModel: The model cannot be used here, or is another one than the manifest says.
    """
    folder, name = Path(request["folder"]), request["name"]
    _require_package(Path(request["path"]), name)
    unpack(Path(request["path"]), folder, max_bytes=request["max_bytes"] + _MAX_MANIFEST_BYTES, name=name)
    manifest = _manifest(folder / MANIFEST, name)
    files = {}
    for file in manifest.files:
        path = files[file.role] = folder / path_in(file.role)
        if not path.is_file() or path.stat().st_size != file.size_bytes or _sha256(path) != file.sha256:
            raise ChecksumMismatch(
                f"{name}: {path_in(file.role)} is not what its manifest says: copy the package again", file=name
            )
    present = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}
    foreign = present - {MANIFEST, *(path_in(role) for role in files)}
    if foreign:
        raise UnsafeArchive(f"{name} holds {min(foreign)!r}, which its manifest does not name", file=name)
    info = try_out(files, request["max_bytes"])
    _require_same(info, manifest.info, name)
    answer: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(manifest, info=info))
    return answer


def _require_package(path: Path, name: str) -> None:
    if not zipfile.is_zipfile(path):
        raise UnsafeArchive(f"{name} is no model package, or is cut short: copy it again", file=name)
    with zipfile.ZipFile(path) as opened:
        entries = opened.namelist()
    if MANIFEST not in entries or len(entries) > _MAX_FILES + 1 or len(set(entries)) < len(entries):
        raise UnsafeArchive(f"{name} is no model package: it has no {MANIFEST}, or too many files", file=name)


def _manifest(path: Path, name: str) -> Manifest:
    if path.stat().st_size > _MAX_MANIFEST_BYTES:
        raise UnsafeArchive(f"{name}: its manifest is larger than any model's", file=name)
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.MsgspecError as error:
        raise UnsafeArchive(f"{name}: its manifest does not fit this release: {error}", file=name) from error
    roles = [file.role for file in manifest.files]
    if not roles or len(set(roles)) < len(roles):
        raise UnsafeArchive(f"{name}: its manifest names no files, or one twice", file=name)
    return manifest


def _require_same(found: ModelInfo, said: ModelInfo, name: str) -> None:
    for field in ("family", "task", "labels"):
        if getattr(found, field) != getattr(said, field):
            raise UnusableModel(
                f"{name}: the model's {field} is not what the manifest says: the package was put together wrongly",
                file=name,
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
