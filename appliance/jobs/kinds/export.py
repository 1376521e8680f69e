"""Write a snapshot in a format, as an archive to download or into a folder.

A child does it: an export is a function of the manifest and the pictures alone, so one that
was interrupted starts again and ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from appliance.errors import InvalidInput
from appliance.jobs._base import CHILD_DEADLINE_S, FOREGROUND, Context, Kind, child_memory_bytes
from appliance.jobs.datasets import make_snapshot
from appliance.records import DatasetImage, Note, Snapshot
from appliance.store import Transaction, database, exports, snapshots
from appliance.store.blobs import Blobs, Staged
from appliance.store.cache import Cache

__all__ = ["CHILD_TASK", "KIND", "ExportParameters", "handle", "require_format"]

CHILD_TASK = True
_TASK = "jobs.kinds.export"
_TELL_EVERY = 50


class ExportParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without `snapshot_id` a snapshot of `contents` is made first, named after the job.

    With `folder` the files go there, else into a zip archive that is kept as a blob.
    """

    format: str
    snapshot_id: int | None = None
    contents: Literal["approved", "everything"] = "approved"
    name: Annotated[str, Meta(max_length=200)] = ""
    seed: int = 0
    options: dict[str, Any] = {}
    folder: str | None = None


def run(context: Context, parameters: ExportParameters) -> dict[str, Any]:
    """Make the snapshot where it is wanted, let the child write, keep the archive."""
    require_format(parameters.format, parameters.options)
    snapshot = _snapshot(context, parameters)
    project_id, job = snapshot.project_id, context.job

    def begin(tx: Transaction) -> exports.Export:
        return exports.create(
            tx,
            project_id=project_id,
            snapshot_id=snapshot.id,
            format_name=parameters.format,
            job_id=job.id,
            created_by=job.created_by,
        )

    export = context.commit(begin, progress=0, total=snapshot.images, message="writing")
    archive = context.store.temporary / f"export-{job.id}.zip"
    request = {
        "folder": str(context.store.folder),
        "manifest": snapshot.manifest_sha256,
        "format": parameters.format,
        "options": parameters.options,
        "target": parameters.folder or str(archive),
        "archive": parameters.folder is None,
        "max_pixels": context.settings.max_pixels,
        "cache_bytes": context.settings.cache_bytes,
    }

    def receive(message: dict[str, Any]) -> None:
        context.commit(lambda _: None, progress=message["pictures"])

    answer = context.child(
        _TASK,
        request,
        on_message=receive,
        deadline_s=CHILD_DEADLINE_S,
        memory_bytes=child_memory_bytes(context.settings),
    )
    notes = msgspec.convert(answer["notes"], list[Note])
    context.note(notes)
    staged = None
    if parameters.folder is None:
        staged = Staged(archive, answer["sha256"], answer["size_bytes"], answer["size_bytes"], "plain")
        context.store.blobs.settle([staged])
    done = context.commit(
        lambda tx: exports.finish(tx, context.store.blobs, export, staged, notes), progress=snapshot.images
    )
    return {"export_id": done.id, "images": snapshot.images, "annotations": snapshot.annotations}


def require_format(name: str, options: dict[str, Any]) -> None:
    """Check that a format exists and takes these options.

    Raises:
        InvalidInput: It does not.
    """
    from appliance.formats import formats

    if name not in formats():
        raise InvalidInput(f"there is no format {name!r}: choose one of {', '.join(formats())}", field="format")
    try:
        msgspec.convert(options, formats()[name].write_options)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the options of {name} do not fit: {error}", field="options") from error


def _snapshot(context: Context, parameters: ExportParameters) -> Snapshot:
    project_id = context.job.project_id
    if project_id is None:
        raise InvalidInput("an export belongs to a project", field="project_id")
    if parameters.snapshot_id is None:
        name = parameters.name or f"export {context.job.id}"
        return make_snapshot(context, name, parameters.contents, parameters.seed)
    wanted = parameters.snapshot_id
    return context.store.read(lambda reading: snapshots.get(reading, project_id, wanted))


def handle(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Write the files; runs in a child.

    Args:
        request: ``folder`` of the store, hash of the ``manifest``, ``format`` with its
            ``options``, and ``target``: an ``archive`` or a folder.
        send: Gets ``{"pictures": n}`` now and then.

    Returns:
        ``{"notes": […]}``, with ``sha256`` and ``size_bytes`` of an archive.
    """
    from appliance.formats import Dataset, FolderSink, ZipSink, formats

    folder = Path(request["folder"])
    blobs = Blobs(folder / "blobs", folder / "tmp")
    pictures = _Pictures(folder, blobs, request, send)
    header, _ = snapshots.opened(blobs, request["manifest"])

    def images() -> Iterator[DatasetImage]:
        return map(pictures.named, snapshots.opened(blobs, request["manifest"])[1])

    dataset = Dataset(labels=header.labels, images=images)
    target = Path(request["target"])
    if not request["archive"]:
        notes = formats()[request["format"]].write(dataset, FolderSink(target, pictures.resolve), request["options"])
        return {"notes": msgspec.to_builtins(notes)}
    with ZipSink(target, pictures.resolve) as sink:
        notes = formats()[request["format"]].write(dataset, sink, request["options"])
    return {"notes": msgspec.to_builtins(notes), "sha256": sink.sha256, "size_bytes": sink.size_bytes}


class _Pictures:
    """Finds an image's upright picture; what is turned by metadata is written anew, once."""

    def __init__(
        self, folder: Path, blobs: Blobs, request: dict[str, Any], send: Callable[[dict[str, Any]], None]
    ) -> None:
        self._blobs = blobs
        self._reading = database.connect(folder / database.FILE, readonly=True)
        self._cache = Cache(folder / "cache", request["cache_bytes"])
        self._max_pixels = request["max_pixels"]
        self._send = send
        self._placed = 0
        self._turned: dict[str, Path] = {}

    def named(self, image: DatasetImage) -> DatasetImage:
        """Return the image under the name its upright picture needs: ``a.heic`` becomes ``a.jpg``."""
        copy = self._copy(image)
        if copy is None or copy.suffix == PurePosixPath(image.name).suffix.lower():
            return image
        if {copy.suffix, PurePosixPath(image.name).suffix.lower()} == {".jpg", ".jpeg"}:
            return image
        return msgspec.structs.replace(image, name=str(PurePosixPath(image.name).with_suffix(copy.suffix)))

    def resolve(self, image: DatasetImage) -> Path:
        """Return the file to write for the image."""
        self._placed += 1
        if self._placed % _TELL_EVERY == 0:
            self._send({"pictures": self._placed})
        assert image.sha256 is not None
        return self._copy(image) or self._blobs.path(image.sha256)

    def _copy(self, image: DatasetImage) -> Path | None:
        assert image.sha256 is not None
        if image.sha256 not in self._turned:
            if not self._is_turned(image.sha256):
                return None
            self._turned[image.sha256] = self._made(image.sha256, image.name)
        return self._turned[image.sha256]

    def _is_turned(self, sha256: str) -> bool:
        from appliance.imaging.probe import probe
        from appliance.imaging.upright import needs_upright

        sql = "SELECT format, orientation FROM images WHERE sha256 = ? LIMIT 1"
        for kind, orientation in self._reading.execute(sql, (bytes.fromhex(sha256),)):
            return needs_upright(str(kind), int(str(orientation)))
        seen = probe(self._blobs.path(sha256), max_pixels=self._max_pixels)
        return needs_upright(seen.format, seen.orientation)

    def _made(self, sha256: str, name: str) -> Path:
        from appliance.imaging.upright import upright_copy

        for suffix in (".jpg", ".png", ".webp", ".tif", ".bmp", ".gif", ".avif"):
            if found := self._cache.get("upright", sha256 + suffix):
                return found
        source = self._blobs.path(sha256)
        suffix = ""

        def make(partial: Path) -> None:
            nonlocal suffix
            suffix = upright_copy(source, partial, name=name, max_pixels=self._max_pixels) or ""

        copy = self._cache.put("upright", f"{sha256}.new", make)
        return copy.replace(copy.with_name(sha256 + suffix))


KIND = Kind(name="export", lane="io", priority=FOREGROUND, parameters=ExportParameters, run=run)
