"""Bring pictures, or a whole dataset with its annotations, into a project.

The source is a folder of this machine or an uploaded archive. A child unpacks and reads the
files nobody vouches for; this job admits the pictures and commits them in small batches,
each with its checkpoint. Importing the same thing twice adds nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from appliance.errors import InvalidGeometry, InvalidInput, PixelQueueError, UnreadableDataset
from appliance.jobs._base import BATCH, CHILD_DEADLINE_S, Context, Kind, child_memory_bytes
from appliance.jobs.archives import unpack
from appliance.jobs.ingest import Prepared, Preparing
from appliance.jobs.inspection import recognised
from appliance.jobs.matching import by_name
from appliance.records import Annotation, DatasetImage, Image, Label, Note
from appliance.store import Transaction, annotations, history, images, jobs, labels, uploads
from appliance.store.history import Changes

if TYPE_CHECKING:
    from appliance.formats import Format

__all__ = ["CHILD_TASK", "KIND", "ImportParameters", "handle"]

CHILD_TASK = True
_TASK = "jobs.kinds.import_"
_BATCH = 64
_CHUNK = 16

_Item: TypeAlias = tuple[str, Path, DatasetImage | None]
"""A picture's name and file, and what the dataset says of it."""


class ImportParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `folder` or the hash of an uploaded `archive`, called `name` by its sender.

    `format` is ``auto`` to recognise a dataset, ``pictures`` to take pictures only, or a format.
    With the number of its `upload`, pictures that were sent apart from the archive stand where it
    names them, and those it names and does not bring are looked for in the project by name.
    """

    folder: str | None = None
    archive: str | None = None
    name: str = ""
    format: str = "auto"
    upload: int | None = None


class Tally(msgspec.Struct):
    """What has been done up to the checkpoint; it is the checkpoint. `seen` counts source entries."""

    seen: int = 0
    images: int = 0
    duplicates: int = 0
    annotations: int = 0
    errors: int = 0


def run(context: Context, parameters: ImportParameters) -> dict[str, Any]:
    """Find out what the source is and import it."""
    if context.job.project_id is None:
        raise InvalidInput("an import belongs to a project", field="project_id")
    try:
        return _imported(context, parameters)
    finally:
        shutil.rmtree(_unpacked(context), ignore_errors=True)


def _imported(context: Context, parameters: ImportParameters) -> dict[str, Any]:
    folder = _folder(context, parameters)
    if parameters.upload is not None:
        _put_pictures(context, folder, parameters.upload)
    folder, form = _form(context, folder, parameters.format)
    if parameters.upload is not None and form is not None:
        _put_absent(context, folder, form)
    tally = msgspec.convert(context.checkpoint, Tally)
    with _Importer(context, tally) as importer:
        if form is None:
            _import_pictures(context, importer, folder)
        else:
            _import_dataset(context, importer, folder, form)
        importer.finish()
    if not tally.seen:
        raise UnreadableDataset(
            f"{parameters.name or folder.name} holds no picture", file=parameters.name or str(folder)
        )
    return {**msgspec.to_builtins(tally), "format": form or "pictures"}


def _unpacked(context: Context) -> Path:
    return context.store.temporary / f"import-{context.job.id}"


def _folder(context: Context, parameters: ImportParameters) -> Path:
    if parameters.folder is not None:
        folder = Path(parameters.folder)
        if not folder.is_dir():
            raise InvalidInput(f"{folder} is no folder", field="folder", file=str(folder))
        return folder
    if parameters.archive is None:
        raise InvalidInput("an import needs a folder or an archive", field="folder")
    context.commit(lambda _: None, message="unpacking")
    target = _unpacked(context)
    room = context.store.free_bytes() - context.settings.free_floor_bytes
    request = {
        "do": "unpack",
        "archive": str(context.store.blobs.path(parameters.archive)),
        "target": str(target),
        "max_bytes": max(room, 0),
        "name": parameters.name,
    }
    _ask(context, request)
    return target


def _put_pictures(context: Context, folder: Path, upload_id: int) -> None:
    """Put the pictures that were sent apart where the archive has empty files for them."""
    for name, sha256 in context.store.read(lambda reading: uploads.in_batch(reading, upload_id)):
        _link(context, sha256, folder / name)
    for name in list(_walk(folder)):
        if not (folder / name).stat().st_size:
            (folder / name).unlink()


def _put_absent(context: Context, folder: Path, form: str) -> None:
    """Put pictures of the project where the dataset names some that it does not bring."""
    names: list[str] = []
    request = {"do": "absent", "folder": str(folder), "format": form}
    _ask(context, request, lambda message: names.extend(message["absent"]))
    assert context.job.project_id is not None
    for name, sha256 in by_name(context.store, context.job.project_id, names).items():
        _link(context, sha256, folder / name)


def _link(context: Context, sha256: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.link(context.store.blobs.path(sha256), path)


def _form(context: Context, folder: Path, wanted: str) -> tuple[Path, str | None]:
    """Return the dataset's folder and its format's name, or None for plain pictures."""
    if wanted == "pictures":
        return folder, None
    if wanted != "auto":
        return folder, wanted
    found = _ask(context, {"do": "recognise", "folder": str(folder)})
    return (Path(found["folder"]), found["formats"][0]) if found["formats"] else (folder, None)


def _ask(
    context: Context, request: dict[str, Any], receive: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    memory_bytes = child_memory_bytes(context.settings)
    return context.child(_TASK, request, on_message=receive, deadline_s=CHILD_DEADLINE_S, memory_bytes=memory_bytes)


class _Importer:
    """Admits pictures and writes their annotations, batch by batch.

    While one batch is decoded by the children, the one before it is committed. Leaving the
    context throws away what was not.
    """

    def __init__(self, context: Context, tally: Tally) -> None:
        self._context = context
        self._tally = tally
        self._labels: list[Label] = []
        self._pending: tuple[Sequence[_Item], Preparing, int] | None = None
        project_id = context.job.project_id
        assert project_id is not None
        self._project_id = project_id

    def __enter__(self) -> _Importer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pending is not None:
            self._pending[1].discard()

    def use_labels(self, names: Sequence[str]) -> None:
        """Make sure that the project has these labels; annotations name them by position."""
        self._labels = self._context.commit(lambda tx: labels.ensure(tx, self._project_id, list(names)))

    def add(self, batch: Sequence[_Item], total: int) -> None:
        """Begin to import a batch of (name, file, annotations) and finish the one before it."""
        self._context.pause_point()
        following = batch, self._context.ingest.preparing([(name, path) for name, path, _ in batch]), total
        try:
            self.finish()
        finally:
            self._pending = following

    def finish(self) -> None:
        """Commit the batch that is under way."""
        if self._pending is None:
            return
        batch, preparing, total = self._pending
        self._pending = None
        entries = list(zip(batch, preparing.settled(), strict=True))
        for start in range(0, len(entries), _CHUNK):
            self._commit(entries[start : start + _CHUNK], total)

    def skip(self, count: int) -> None:
        """Count source entries that are no picture, without writing them yet."""
        self._tally.seen += count
        self._tally.errors += count

    def _commit(self, entries: Sequence[tuple[Any, Prepared | PixelQueueError]], total: int) -> None:
        good: list[tuple[Prepared, list[Annotation]]] = []
        for (name, _, described), outcome in entries:
            if isinstance(outcome, PixelQueueError):
                self._context.note(Note(code=outcome.code, message=outcome.message, file=name))
            else:
                good.append((outcome, self._stored(described, outcome)))
        tally = self._context.commit(lambda tx: self._write(tx, good, len(entries), total))
        for field in Tally.__struct_fields__:
            setattr(self._tally, field, getattr(tally, field))
        self._context.checkpoint = msgspec.to_builtins(tally)

    def _write(
        self, tx: Transaction, good: Sequence[tuple[Prepared, list[Annotation]]], entries: int, total: int
    ) -> Tally:
        tally = msgspec.structs.replace(self._tally)
        added = self._context.ingest.add(
            tx, self._project_id, [prepared for prepared, _ in good], self._context.job.id
        )
        tally.seen += entries
        tally.errors += entries - len(good)
        for (_, stored), (image, duplicate) in zip(good, added, strict=True):
            tally.duplicates += duplicate
            tally.images += not duplicate
            tally.annotations += self._annotate(tx, image, stored)
        jobs.advance(
            tx, self._context.job.id, checkpoint=msgspec.to_builtins(tally), progress=tally.seen, total=total
        )
        return tally

    def _annotate(self, tx: Transaction, image: Image, stored: list[Annotation]) -> int:
        """Add what the dataset says of an image and what is not on it yet."""
        diff_id = f"import-{self._context.job.id}"
        if not stored or history.revision_of(tx, image.id, diff_id) is not None:
            return 0
        image = images.get(tx, self._project_id, image.id)
        present = annotations.of_image(tx, self._project_id, image.id).annotations
        known = {(a.label_id, msgspec.json.encode(a.geometry)) for a in present}
        fresh = [a for a in stored if (a.label_id, msgspec.json.encode(a.geometry)) not in known]
        put: list[tuple[Annotation | None, Annotation]] = [(None, a) for a in fresh]
        annotations.apply(
            tx, image, Changes(put=put), diff_id=diff_id, kind="import", author_id=tx.user_id,
            job_id=self._context.job.id,
        )  # fmt: skip
        return len(fresh)

    def _stored(self, described: DatasetImage | None, prepared: Prepared) -> list[Annotation]:
        """Return the annotations as they go into the store; those that do not fit are noted."""
        stored = []
        for number, read in enumerate(described.annotations if described else ()):
            try:
                read.geometry.check(prepared.probe.width, prepared.probe.height)
            except InvalidGeometry as error:
                self._context.note(Note(code=error.code, message=error.message, file=prepared.name))
                continue
            label_id = self._labels[read.label_id].id
            key = f"i{self._context.job.id:06d}-{number:05d}"
            stored.append(msgspec.structs.replace(read, id=key, label_id=label_id, status="draft", model_id=None))
        return stored


def _import_pictures(context: Context, importer: _Importer, folder: Path) -> None:
    found = sorted(_walk(folder))
    if found and all(name.startswith("images/") for name in found):
        folder, found = folder / "images", [name.removeprefix("images/") for name in found]
    start = msgspec.convert(context.checkpoint, Tally).seen
    for at in range(start, len(found), _BATCH):
        importer.add([(name, folder / name, None) for name in found[at : at + _BATCH]], len(found))


def _walk(folder: Path) -> Iterator[str]:
    """Yield the relative POSIX paths of all picture files, hidden ones left out, links not followed."""
    from appliance.imaging.sniff import EXTENSIONS

    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            path = Path(place, name)
            if not name.startswith(".") and path.suffix.lower() in EXTENSIONS and not path.is_symlink():
                yield path.relative_to(folder).as_posix()


def _import_dataset(context: Context, importer: _Importer, folder: Path, form: str) -> None:
    waiting: list[_Item] = []
    start = msgspec.convert(context.checkpoint, Tally).seen

    def receive(message: dict[str, Any]) -> None:
        if "labels" in message:
            importer.use_labels(message["labels"])
        for entry in message.get("images", ()):
            described = msgspec.convert(entry["image"], DatasetImage)
            waiting.append((described.name, Path(entry["path"]), described))
        while len(waiting) >= _BATCH:
            importer.add(waiting[:_BATCH], 0)
            del waiting[:_BATCH]

    request = {
        "do": "read",
        "folder": str(folder),
        "format": form,
        "start": start,
        "max_pixels": context.settings.max_pixels,
    }
    answer = _ask(context, request, receive)
    context.note(msgspec.convert(answer["notes"], list[Note]))
    if waiting:
        importer.add(waiting, 0)


def handle(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Unpack an archive, recognise or read a dataset, or tell what it lacks; runs in a child."""
    todo = {"unpack": _unpack, "recognise": _recognise, "absent": _absent, "read": _read}
    return todo[request["do"]](request, send)


def _unpack(request: dict[str, Any], _send: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    archive, target = Path(request["archive"]), Path(request["target"])
    if request["name"].lower().endswith(".json"):
        target.mkdir()
        shutil.copyfile(archive, target / "annotations.json")
        return {"files": 1}
    return {"files": unpack(archive, target, max_bytes=request["max_bytes"], name=request["name"])}


def _recognise(request: dict[str, Any], _send: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    folder, found = recognised(Path(request["folder"]))
    return {"folder": str(folder), "formats": [candidate.format for candidate in found]}


def _absent(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    reader = _format(request["format"]).read(request["folder"], size_of=lambda _: (1_000, 1_000))
    bundle: list[str] = []
    for image in reader.images():
        if reader.picture_path(image.name) is None:
            bundle.append(image.name)
        if len(bundle) == _BATCH:
            send({"absent": bundle})
            bundle = []
    send({"absent": bundle})
    return {}


def _format(name: str) -> Format:
    from appliance.formats import formats

    if name not in formats():
        raise InvalidInput(f"there is no format {name!r}: choose one of {', '.join(formats())}", field="format")
    return formats()[name]


def _read(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    reader = _format(request["format"]).read(request["folder"], size_of=_sizes(request["max_pixels"]))
    send({"labels": [label.name for label in reader.labels]})
    missing: list[str] = []
    bundle: list[dict[str, Any]] = []
    seen = 0
    for image in reader.images():
        path = reader.picture_path(image.name)
        if path is None:
            missing.append(image.name)
            continue
        seen += 1
        if seen <= request["start"]:
            continue
        bundle.append({"image": msgspec.to_builtins(image), "path": str(path)})
        if len(bundle) == _BATCH:
            send({"images": bundle})
            bundle = []
    send({"images": bundle})
    return {"notes": msgspec.to_builtins([*reader.notes, *_missing(missing)])}


def _missing(names: list[str]) -> list[Note]:
    if not names:
        return []
    message = "the dataset names pictures that are not in its folder: add them and import again"
    return [Note(code="missing-picture", message=message, file=names[0], count=len(names))]


def _sizes(max_pixels: int) -> Callable[[Path], tuple[int, int] | None]:
    from appliance.imaging.limits import read_bytes
    from appliance.imaging.picture import open_picture

    def size_of(path: Path) -> tuple[int, int] | None:
        """Read the header only: whether the picture decodes is found out when it is admitted."""
        try:
            opened = open_picture(read_bytes(path, name=path.name), name=path.name, max_pixels=max_pixels)
        except PixelQueueError:
            return None
        return opened.upright_size()

    return size_of


KIND = Kind(name="import", lane="io", priority=BATCH, parameters=ImportParameters, run=run)
