"""Look into an uploaded dataset before anything of it is written.

A child unpacks what describes the dataset, hashes its pictures without writing them, and counts
what a format makes of it; here it is compared with what the project has.
"""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from appliance.jobs._base import child_memory_bytes
from appliance.jobs.archives import sketch
from appliance.jobs.children import once
from appliance.jobs.matching import by_name
from appliance.records import Note, Record, Upload
from appliance.settings import Settings
from appliance.store import Store, images, labels

__all__ = ["CHILD_TASK", "FoundLabel", "Preview", "handle", "preview", "recognised"]

CHILD_TASK = True
_TASK = "jobs.inspection"
_DEADLINE_S = 900.0
_AT_ONCE = 500
_ANY_SIZE = (1_000, 1_000)
"""Stands for the size of pictures where only fractions of it are counted."""


class FoundLabel(Record, frozen=True):
    """A label of a dataset; `label_id` is the project's label of that name, None for a new one."""

    name: str
    label_id: int | None
    annotations: int


class Preview(Record, frozen=True):
    """What an uploaded dataset holds.

    Attributes:
        format: The name of its format, None when it is none the box knows.
        title: The format's name for people.
        files: What says so.
        pictures: Picture files in it.
        promised: Of these, the ones that shall be sent apart: they are empty.
        present: Pictures that the project has already: the same bytes, or for promised ones the name.
        images: Images it describes.
        annotated: Of these, the ones with an annotation.
        matched: Images without a picture in it that are in the project by their name.
        missing: Images without a picture that are nowhere.
        labels: Its labels, by how often they are used.
        annotations: How many annotations by type of geometry.
        splits: How many images by split.
        notes: What cannot be read, and what is left out.
    """

    format: str | None
    title: str
    files: list[str]
    pictures: int
    promised: int
    present: int
    images: int
    annotated: int
    matched: int
    missing: int
    labels: list[FoundLabel]
    annotations: dict[str, int]
    splits: dict[str, int]
    notes: list[Note]


class _Told(msgspec.Struct):
    """What the child tells at the end."""

    format: str | None = None
    title: str = ""
    files: list[str] = []
    images: int = 0
    annotated: int = 0
    labels: list[tuple[str, int]] = []
    annotations: dict[str, int] = {}
    splits: dict[str, int] = {}
    notes: list[Note] = []


@dataclass
class _Compared:
    """What the child tells meanwhile, beside what the project has."""

    store: Store
    project_id: int
    pictures: int = 0
    present: int = 0
    promised: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    def receive(self, message: dict[str, Any]) -> None:
        self.promised += message.get("promised", ())
        self.absent += message.get("absent", ())
        hashes = message.get("hashes", ())
        self.pictures += len(hashes)
        self.present += self.store.read(lambda reading: images.present(reading, self.project_id, sorted(set(hashes))))


def preview(store: Store, settings: Settings, upload: Upload) -> Preview:
    """Look into an upload; blocks for as long as reading it takes.

    Raises:
        UnsafeArchive: It is an archive that is refused.
        UnreadableDataset: It is a dataset, and broken; file and place are named.
        ChildFailed: Reading it took too long or too much memory.
    """
    target = store.temporary / f"preview-{secrets.token_hex(8)}"
    compared = _Compared(store, upload.project_id)
    request = {
        "file": str(store.incoming.path(upload.id)),
        "target": str(target),
        "name": upload.name,
        "max_bytes": max(store.free_bytes() - settings.free_floor_bytes, 0),
    }
    try:
        answer = once(
            _TASK,
            request,
            on_message=compared.receive,
            deadline_s=_DEADLINE_S,
            memory_bytes=child_memory_bytes(settings),
        )
    finally:
        shutil.rmtree(target, ignore_errors=True)
    return _put_together(compared, msgspec.convert(answer, _Told))


def _put_together(compared: _Compared, told: _Told) -> Preview:
    store, project_id = compared.store, compared.project_id
    known = {label.name: label.id for label in store.read(lambda reading: labels.listed(reading, project_id))}
    matched = by_name(store, project_id, compared.absent)
    return Preview(
        format=told.format,
        title=told.title,
        files=told.files,
        pictures=compared.pictures + len(compared.promised),
        promised=len(compared.promised),
        present=compared.present + len(by_name(store, project_id, compared.promised)),
        images=told.images,
        annotated=told.annotated,
        matched=len(matched),
        missing=len(compared.absent) - len(matched),
        labels=[FoundLabel(name=name, label_id=known.get(name), annotations=count) for name, count in told.labels],
        annotations=told.annotations,
        splits=told.splits,
        notes=told.notes,
    )


def recognised(folder: Path) -> tuple[Path, list[Any]]:
    """Return the folder a dataset is in and the formats that know it, best first.

    An archive made of a folder holds that folder and nothing else: then it is the dataset.
    """
    from appliance.formats import recognise

    while not (found := recognise(folder)):
        inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
        if len(inside) != 1 or not inside[0].is_dir() or inside[0].is_symlink():
            break
        folder = inside[0]
    return folder, found


def handle(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Count what a dataset holds; runs in a child.

    Args:
        request: ``file``, its ``name``, a ``target`` folder to work in, ``max_bytes`` it may unpack to.
        send: Gets ``hashes`` of pictures, names that are ``promised`` (empty files) and ``absent``.
    """
    target, file = Path(request["target"]), Path(request["file"])
    target.mkdir()
    with _Bundles(send) as bundles:
        if request["name"].lower().endswith(".zip"):
            limits = {"max_bytes": request["max_bytes"], "name": request["name"]}
            sketch(file, target, is_picture=_is_picture, tell=bundles.picture, **limits)
        else:
            (target / "annotations.json").symlink_to(file)
            target = target / "annotations.json"
        folder, found = recognised(target) if target.is_dir() else (target, _of_file(target))
        told = _counted(folder, found[0], bundles) if found else _Told()
    answer: dict[str, Any] = msgspec.to_builtins(told)
    return answer


def _is_picture(path: str) -> bool:
    from appliance.imaging.sniff import EXTENSIONS

    return PurePosixPath(path).suffix.lower() in EXTENSIONS


def _of_file(file: Path) -> list[Any]:
    from appliance.formats import recognise

    return recognise(file)


def _counted(folder: Path, candidate: Any, bundles: _Bundles) -> _Told:
    from appliance.formats import formats

    variant = formats()[candidate.format]
    reader = variant.read(folder, size_of=lambda _: _ANY_SIZE)
    told = _Told(format=variant.name, title=variant.title, files=candidate.files)
    uses: Counter[int] = Counter()
    types: Counter[str] = Counter()
    splits: Counter[str] = Counter()
    for image in reader.images():
        told.images += 1
        told.annotated += bool(image.annotations)
        splits[image.split] += 1
        uses.update(annotation.label_id for annotation in image.annotations)
        types.update(annotation.geometry.name for annotation in image.annotations)
        if reader.picture_path(image.name) is None:
            bundles.add("absent", image.name)
    names = [(label.name, uses[position]) for position, label in enumerate(reader.labels)]
    told.labels = sorted(names, key=lambda pair: -pair[1])
    told.annotations, told.splits = dict(types), dict(splits)
    told.notes = list(reader.notes)
    return told


class _Bundles:
    """Sends names and hashes some hundred at a time."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._waiting: dict[str, list[str]] = {}

    def __enter__(self) -> _Bundles:
        return self

    def __exit__(self, *_: object) -> None:
        for kind in list(self._waiting):
            self._flush(kind)

    def add(self, kind: str, what: str) -> None:
        waiting = self._waiting.setdefault(kind, [])
        waiting.append(what)
        if len(waiting) == _AT_ONCE:
            self._flush(kind)

    def picture(self, path: str, sha256: str) -> None:
        """Note a picture; one without bytes shall be sent apart."""
        self.add("hashes" if sha256 else "promised", sha256 or path)

    def _flush(self, kind: str) -> None:
        if found := self._waiting.pop(kind, []):
            self._send({kind: found})
