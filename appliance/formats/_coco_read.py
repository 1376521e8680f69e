"""Read COCO JSON, streaming: flat memory whatever the size and order of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from appliance.formats import _coco_shapes as shapes
from appliance.formats._base import CROWD, ReadLabel, SizeOf, Tally
from appliance.formats._folders import Inside
from appliance.formats._json import Elements, JsonFile, Unfit
from appliance.formats._names import Namer
from appliance.records import Annotation, AttributeValue, DatasetImage, Note, Skeleton, Split

__all__ = ["CocoReader"]

Key = int | str | None
_MAX_CATEGORIES = 100_000
_MAX_KEY = 1 << 62
_NONE = np.int64(-(1 << 63))


class _Image(msgspec.Struct):
    id: Key = None
    file_name: str | int | None = None
    width: int | None = None
    height: int | None = None
    coco_url: str | None = None


class _Owner(msgspec.Struct):
    """An annotation, as far as it is needed to sort it."""

    id: Key = None
    image_id: Key = None


class _Category(msgspec.Struct):
    id: Key = None
    name: str | int | None = None
    supercategory: str | None = None
    keypoints: Any = None
    skeleton: Any = None


class _Keys:
    """Gives every id of a file a number: integers themselves, anything else the next free one."""

    def __init__(self) -> None:
        self._others: dict[str, int] = {}

    def __call__(self, key: Key) -> int:
        if type(key) is int and -_MAX_KEY < key < _MAX_KEY:
            return key
        return int(_NONE) if key is None else self._others.setdefault(str(key), _MAX_KEY + len(self._others))


@dataclass
class _Part:
    """One annotation file, with its annotations sorted by image.

    Attributes:
        labels: Position in ``Reader.labels`` by category number.
        skip: bool (images,): entries that are no image of their own.
        renamed: Names by position in ``images``, where the file's name was not safe or unique.
        order: int64 (annotations,): positions of annotations, those of one image together.
        first: int64 (images + 1,): where an image's stretch of `order` begins.
    """

    number: int
    images: Elements
    annotations: Elements
    split: Split
    keys: _Keys
    labels: dict[int, int]
    skip: NDArray[np.bool_]
    renamed: dict[int, str]
    order: NDArray[np.int64]
    first: NDArray[np.int64]


class CocoReader:
    """A COCO dataset of one or more annotation files.

    Args:
        inside: The dataset's folder.
        files: The annotation files.
        size_of: Asked where an image has no width and height.
        others: Annotation files that are left out; a note says so.

    Attributes:
        labels: The categories in the files' order; those of one name are one label.

    Raises:
        UnreadableDataset: A file is not COCO JSON; file and place are named.
    """

    def __init__(
        self, inside: Inside, files: Sequence[Path], size_of: SizeOf | None, others: Sequence[Path] = ()
    ) -> None:
        self.labels: list[ReadLabel] = []
        self._inside = inside
        self._size_of = size_of
        self._opening = Tally()
        for path in others:
            self._opening.add("other-file", "an annotation file beside the chosen ones", inside.relative(path))
        self._tally = Tally()
        self._namer = Namer()
        self._originals: dict[str, str] = {}
        self._part_of: dict[str, int] = {}
        self._folders: list[list[Path]] = []
        self._positions: dict[str, int] = {}
        self._parts = [self._open(number, path) for number, path in enumerate(files)]
        del self._namer

    @property
    def notes(self) -> list[Note]:
        return self._opening.notes() + self._tally.notes()

    def picture_path(self, name: str) -> Path | None:
        original = self._originals.get(name, name)
        folders = self._folders[self._part_of.get(name, 0)]
        plain = PurePosixPath(original.replace("\\", "/"))
        names = [name] if plain.is_absolute() or ".." in plain.parts else [str(plain), name]
        for candidate in (*names, plain.name):
            for index, folder in enumerate(folders):
                path = self._inside.file([folder], [candidate])
                if path is not None:
                    folders.insert(0, folders.pop(index))  # the next one is most likely beside it
                    return path
        return None

    def images(self) -> Iterator[DatasetImage]:
        self._tally.clear()
        for part in self._parts:
            with open(part.images.file.path, "rb") as file:
                yield from self._images(part, file.fileno())

    # Opening

    def _open(self, number: int, path: Path) -> _Part:
        file = JsonFile(path, self._inside.relative(path))
        missing = [key for key in ("images", "annotations") if key not in file.arrays]
        if missing:
            raise file.broken(f"no list of {' and no list of '.join(missing)}: not a COCO dataset")
        keys = _Keys()
        self._folders.append(self._folders_of(path))
        with open(path, "rb") as opened:
            descriptor = opened.fileno()
            labels = self._read_labels(file, descriptor, keys)
            images = file.arrays["images"]
            numbers, renamed = self._read_names(images, descriptor, keys)
            skip, rows = self._places_of(numbers, file.name)
            order, first = self._sorted(file.arrays["annotations"], descriptor, keys, (numbers[rows], rows))
        split = _split_of(path)
        return _Part(number, images, file.arrays["annotations"], split, keys, labels, skip, renamed, order, first)

    def _folders_of(self, path: Path) -> list[Path]:
        """Return where the pictures of an annotation file may be, most likely place first."""
        subset = path.stem.rpartition("_")[2]
        names = ["", "images", subset, f"images/{subset}"]
        places = [place / name for name in names for place in (path.parent, self._inside.root)]
        return list(dict.fromkeys(place for place in places if place.is_dir()))

    def _read_labels(self, file: JsonFile, descriptor: int, keys: _Keys) -> dict[int, int]:
        elements = file.arrays.get("categories")
        if elements is None:
            self._opening.add("no-categories", "the file has no list of categories", file.name)
            return {}
        if len(elements) > _MAX_CATEGORIES:
            raise file.broken(f"{len(elements)} categories, {_MAX_CATEGORIES} are allowed")
        found: dict[int, int] = {}
        for first, batch in elements.decode(descriptor, _Category):
            for index, item in enumerate(batch, start=first):
                self._add_label(item, elements.place(index), file.name, found, keys)
        return found

    def _add_label(self, item: _Category | Unfit, place: str, file: str, found: dict[int, int], keys: _Keys) -> None:
        if isinstance(item, Unfit) or item.id is None:
            problem = item.problem if isinstance(item, Unfit) else "no id"
            self._opening.add("bad-category", f"{place} was left out: {problem}", file)
            return
        if keys(item.id) in found:
            self._opening.add("duplicate-category", f"{place}: the id {item.id} is there twice", file)
            return
        name = str("" if item.name is None else item.name).strip()[:200] or f"category {item.id}"
        if name not in self._positions:
            self._positions[name] = len(self.labels)
            supercategory = item.supercategory or None
            self.labels.append(
                ReadLabel(name=name, category=item.id, supercategory=supercategory, skeleton=_skeleton(item))
            )
        elif self._positions[name] in found.values():
            self._opening.add("merged-categories", f"{place}: {name!r} is there twice; both are one label", file)
        found[keys(item.id)] = self._positions[name]

    def _read_names(self, images: Elements, descriptor: int, keys: _Keys) -> tuple[NDArray[np.int64], dict[int, str]]:
        """Read ids and names of the images; return the ids' numbers and the names that had to change."""
        numbers = np.full(len(images), _NONE, dtype=np.int64)
        renamed: dict[int, str] = {}
        for first, batch in images.decode(descriptor, _Image):
            for index, item in enumerate(batch, start=first):
                if isinstance(item, Unfit) or item.id is None:
                    problem = item.problem if isinstance(item, Unfit) else "no id"
                    message = f"{images.place(index)} was left out: {problem}"
                    self._opening.add("bad-image", message, images.file.name)
                    continue
                numbers[index] = keys(item.id)
                original = _name_of(item)
                name = self._namer(original)
                if len(self._folders) > 1:
                    self._part_of[name] = len(self._folders) - 1
                if name != original:
                    renamed[index] = name
                    self._originals[name] = original
                    self._opening.add("renamed", f"{original!r} is called {name!r} here", images.file.name)
        return numbers, renamed

    def _places_of(self, numbers: NDArray[np.int64], file: str) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return which images to skip, and the positions of the others sorted by their number."""
        rows = np.argsort(numbers, kind="stable")
        ordered = numbers[rows]
        first = np.concatenate(([True], ordered[1:] != ordered[:-1]))[: len(rows)] & (ordered != _NONE)
        skip = np.ones(len(numbers), dtype=bool)
        skip[rows[first]] = False
        twice = int(skip.sum() - (numbers == _NONE).sum())
        self._opening.add("duplicate-image", "images with an id that was there already were left out", file, twice)
        return skip, rows[first]

    def _sorted(
        self,
        annotations: Elements,
        descriptor: int,
        keys: _Keys,
        images: tuple[NDArray[np.int64], NDArray[np.int64]],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sort the annotations by image.

        Args:
            images: Numbers of the images, ascending, and their positions.

        Returns:
            `_Part.order` and `_Part.first`.
        """
        file = annotations.file.name
        owners = np.full(len(annotations), _NONE, dtype=np.int64)
        ids = np.full(len(annotations), _NONE, dtype=np.int64)
        for first, batch in annotations.decode(descriptor, _Owner):
            last = first + len(batch)
            owners[first:last] = [_NONE if type(item) is Unfit else keys(item.image_id) for item in batch]
            ids[first:last] = [_NONE if type(item) is Unfit else keys(item.id) for item in batch]
        ids = ids[ids != _NONE]
        self._opening.add(
            "duplicate-annotation", "annotations share an id; all are kept", file, len(ids) - len(np.unique(ids))
        )
        numbers, rows = images
        place = np.minimum(np.searchsorted(numbers, owners), max(len(numbers) - 1, 0))
        known = numbers[place] == owners if len(numbers) else np.zeros(len(owners), dtype=bool)
        lost = int(len(owners) - known.sum())
        self._opening.add("unknown-image", "annotations of images that are not in the file", file, lost)
        order = np.flatnonzero(known)
        row = rows[place[order]] if len(numbers) else order
        sorting = np.argsort(row, kind="stable")
        count = int(rows.max()) + 1 if len(rows) else 0
        return order[sorting], np.searchsorted(row[sorting], np.arange(max(count, 0) + 1))

    # Streaming

    def _images(self, part: _Part, descriptor: int) -> Iterator[DatasetImage]:
        decoder = msgspec.json.Decoder(list[shapes.CocoAnnotation])
        for first, batch in part.images.decode(descriptor, _Image):
            for index, item in enumerate(batch, start=first):
                if part.skip[index] or isinstance(item, Unfit):
                    continue
                name = part.renamed.get(index) or _name_of(item)
                width, height = self._size(item, name, part.images)
                rows = part.order[part.first[index] : part.first[index + 1]]
                found = _decode(decoder, part.annotations, descriptor, rows)
                annotations = [
                    annotation
                    for row, raw in zip(rows.tolist(), found, strict=True)
                    if (annotation := self._annotation(part, row, raw, width, height)) is not None
                ]
                yield DatasetImage(name=name, width=width, height=height, split=part.split, annotations=annotations)

    def _size(self, item: _Image, name: str, images: Elements) -> tuple[int, int]:
        width, height = item.width or 0, item.height or 0
        if 0 < width <= shapes.UNBOUNDED and 0 < height <= shapes.UNBOUNDED:
            return width, height
        path = self.picture_path(name) if self._size_of else None
        size = self._size_of(path) if self._size_of and path else None
        if size is None:
            self._tally.add("no-size", f"{name}: the file tells no width and height", images.file.name)
        return size or (0, 0)

    def _annotation(
        self, part: _Part, row: int, raw: shapes.CocoAnnotation | Unfit, width: int, height: int
    ) -> Annotation | None:
        file = part.annotations.file.name
        if isinstance(raw, Unfit):
            self._tally.add("bad-annotation", f"{part.annotations.place(row)} was left out: {raw.problem}", file)
            return None
        label = part.labels.get(part.keys(raw.category_id))
        if label is None:
            place = part.annotations.place(row)
            message = f"{place} was left out: there is no category {raw.category_id!r}"
            self._tally.add("unknown-category", message, file)
            return None
        geometry = shapes.geometry_of(raw, width, height, _Where(self._tally, part.annotations, row))
        if geometry is None:
            return None
        crowd: dict[str, AttributeValue] = {CROWD: True} if raw.iscrowd else {}
        made = raw.score is not None
        return Annotation(
            id=f"c{part.number:02d}-{row:08d}",
            label_id=label,
            geometry=geometry,
            attributes=self._attributes(raw.attributes, part, row) | crowd if raw.attributes else crowd,
            source="model" if made else "import",
            confidence=self._confidence(raw.score, part, row) if made else None,
        )

    def _confidence(self, score: float | None, part: _Part, row: int) -> float | None:
        if score is not None and 0 <= score <= 1:
            return score
        message = f"{part.annotations.place(row)}: the score {score} is not between 0 and 1"
        self._tally.add("bad-score", message, part.annotations.file.name)
        return None

    def _attributes(self, found: dict[str, Any], part: _Part, row: int) -> dict[str, AttributeValue]:
        kept: dict[str, AttributeValue] = {}
        for name, value in found.items():
            if isinstance(value, bool | str | float):
                kept[name] = value
            elif isinstance(value, int) and abs(value) < _MAX_KEY:
                kept[name] = float(value)
            else:
                message = f"{part.annotations.place(row)}: the attribute {name!r} is no text, number or switch"
                self._tally.add("bad-attribute", message, part.annotations.file.name)
        return kept


class _Where:
    """Counts a problem of one annotation."""

    def __init__(self, tally: Tally, annotations: Elements, row: int) -> None:
        self._tally = tally
        self._annotations = annotations
        self._row = row

    def __call__(self, code: str, problem: str) -> None:
        self._tally.add(code, f"{self._annotations.place(self._row)}: {problem}", self._annotations.file.name)


def _decode(
    decoder: msgspec.json.Decoder[list[shapes.CocoAnnotation]],
    annotations: Elements,
    descriptor: int,
    rows: NDArray[np.int64],
) -> list[Any]:
    try:
        return decoder.decode(annotations.read_list(descriptor, rows))
    except (ValueError, RecursionError):
        loose = (annotations.one(descriptor, row, shapes.LooseAnnotation) for row in rows.tolist())
        return [item if isinstance(item, Unfit) else item.tightened() for item in loose]


def _name_of(item: _Image) -> str:
    if item.file_name:
        return str(item.file_name)
    return (item.coco_url or "").split("?")[0].rpartition("/")[2] or f"{item.id}"


def _skeleton(item: _Category) -> Skeleton | None:
    try:
        points = msgspec.convert(item.keypoints, list[str])
        edges = msgspec.convert(item.skeleton or [], list[tuple[int, int]])
    except msgspec.ValidationError:
        return None
    inside = [(a - 1, b - 1) for a, b in edges if 1 <= a <= len(points) and 1 <= b <= len(points)]
    return Skeleton(points=points, edges=inside) if points else None


def _split_of(path: Path) -> Split:
    """Guess the split from the file's name, or its folder's; train where neither tells."""
    words = {*re.findall("[a-z]+", path.stem.lower()), path.parent.name.lower()}
    if "test" in words:
        return "test"
    return "val" if words & {"val", "valid", "validation"} else "train"
