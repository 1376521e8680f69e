"""Open COCO's annotation files: what has to be known before the first image can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from appliance.formats._base import ReadLabel, Tally
from appliance.formats._folders import Inside
from appliance.formats._json import Elements, JsonFile, Unfit
from appliance.formats._names import Namer
from appliance.records import Skeleton, Split

__all__ = ["MAX_KEY", "Image", "Opening", "Part", "name_of"]

Key = int | str | None
MAX_KEY = 1 << 62
_MAX_CATEGORIES = 100_000
_NONE = np.int64(-(1 << 63))


class Image(msgspec.Struct):
    """An image, as far as it is needed."""

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


class Keys:
    """Gives every id of a file a number: integers themselves, anything else the next free one."""

    def __init__(self) -> None:
        self._others: dict[str, int] = {}

    def __call__(self, key: Key) -> int:
        if type(key) is int and -MAX_KEY < key < MAX_KEY:
            return key
        return int(_NONE) if key is None else self._others.setdefault(str(key), MAX_KEY + len(self._others))


@dataclass
class Part:
    """One annotation file, with its annotations sorted by image.

    Attributes:
        labels: Position in ``Opening.labels`` by category number.
        skip: bool (images,): entries that are no image of their own.
        renamed: Names by position in ``images``, where the file's name was not safe or unique.
        order: int64 (annotations,): positions of annotations, those of one image together.
        first: int64 (images + 1,): where an image's stretch of `order` begins.
    """

    number: int
    images: Elements
    annotations: Elements
    split: Split
    keys: Keys
    labels: dict[int, int]
    skip: NDArray[np.bool_]
    renamed: dict[int, str]
    order: NDArray[np.int64]
    first: NDArray[np.int64]


class Opening:
    """Goes over annotation files once: labels, names, and which annotations an image has.

    Args:
        inside: The dataset's folder.
        tally: Counts what was left out or changed.

    Attributes:
        labels: The categories of all files in their order; those of one name are one label.
        originals: The file's name of an image by its name here, where the two differ.
        part_of: The number of an image's file by its name, for those behind the first.
        folders: Where the pictures of each file may be, most likely place first.
    """

    def __init__(self, inside: Inside, tally: Tally) -> None:
        self.labels: list[ReadLabel] = []
        self.originals: dict[str, str] = {}
        self.part_of: dict[str, int] = {}
        self.folders: list[list[Path]] = []
        self._inside = inside
        self._tally = tally
        self._namer = Namer()
        self._positions: dict[str, int] = {}

    def part(self, number: int, path: Path) -> Part:
        """Open one annotation file.

        Raises:
            UnreadableDataset: It is not COCO JSON.
        """
        file = JsonFile(path, self._inside.relative(path))
        missing = [key for key in ("images", "annotations") if key not in file.arrays]
        if missing:
            raise file.broken(f"no list of {' and no list of '.join(missing)}: not a COCO dataset")
        keys = Keys()
        self.folders.append(self._folders_of(path))
        with open(path, "rb") as opened:
            descriptor = opened.fileno()
            labels = self._read_labels(file, descriptor, keys)
            images = file.arrays["images"]
            numbers, renamed = self._read_names(images, descriptor, keys)
            skip, rows = self._places_of(numbers, file.name)
            order, first = self._sorted(file.arrays["annotations"], descriptor, keys, (numbers[rows], rows))
        split = _split_of(path)
        return Part(number, images, file.arrays["annotations"], split, keys, labels, skip, renamed, order, first)

    def _folders_of(self, path: Path) -> list[Path]:
        """Return where the pictures of an annotation file may be, most likely place first."""
        subset = path.stem.rpartition("_")[2]
        names = ["", "images", subset, f"images/{subset}"]
        places = [place / name for name in names for place in (path.parent, self._inside.root)]
        return list(dict.fromkeys(place for place in places if place.is_dir()))

    def _read_labels(self, file: JsonFile, descriptor: int, keys: Keys) -> dict[int, int]:
        elements = file.arrays.get("categories")
        if elements is None:
            self._tally.add("no-categories", "the file has no list of categories", file.name)
            return {}
        if len(elements) > _MAX_CATEGORIES:
            raise file.broken(f"{len(elements)} categories, {_MAX_CATEGORIES} are allowed")
        found: dict[int, int] = {}
        for first, batch in elements.decode(descriptor, _Category):
            for index, item in enumerate(batch, start=first):
                self._add_label(item, elements.place(index), file.name, found, keys)
        return found

    def _add_label(self, item: _Category | Unfit, place: str, file: str, found: dict[int, int], keys: Keys) -> None:
        if isinstance(item, Unfit) or item.id is None:
            problem = item.problem if isinstance(item, Unfit) else "no id"
            self._tally.add("bad-category", f"{place} was left out: {problem}", file)
            return
        if keys(item.id) in found:
            self._tally.add("duplicate-category", f"{place}: the id {item.id} is there twice", file)
            return
        name = str("" if item.name is None else item.name).strip()[:200] or f"category {item.id}"
        if name not in self._positions:
            self._positions[name] = len(self.labels)
            supercategory = item.supercategory or None
            self.labels.append(
                ReadLabel(name=name, category=item.id, supercategory=supercategory, skeleton=_skeleton(item))
            )
        elif self._positions[name] in found.values():
            self._tally.add("merged-categories", f"{place}: {name!r} is there twice; both are one label", file)
        found[keys(item.id)] = self._positions[name]

    def _read_names(self, images: Elements, descriptor: int, keys: Keys) -> tuple[NDArray[np.int64], dict[int, str]]:
        """Read ids and names of the images; return the ids' numbers and the names that had to change."""
        numbers = np.full(len(images), _NONE, dtype=np.int64)
        renamed: dict[int, str] = {}
        for first, batch in images.decode(descriptor, Image):
            for index, item in enumerate(batch, start=first):
                if isinstance(item, Unfit) or item.id is None:
                    problem = item.problem if isinstance(item, Unfit) else "no id"
                    message = f"{images.place(index)} was left out: {problem}"
                    self._tally.add("bad-image", message, images.file.name)
                    continue
                numbers[index] = keys(item.id)
                original = name_of(item)
                name = self._namer(original)
                if len(self.folders) > 1:
                    self.part_of[name] = len(self.folders) - 1
                if name != original:
                    renamed[index] = name
                    self.originals[name] = original
                    self._tally.add("renamed", f"{original!r} is called {name!r} here", images.file.name)
        return numbers, renamed

    def _places_of(self, numbers: NDArray[np.int64], file: str) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return which images to skip, and the positions of the others sorted by their number."""
        rows = np.argsort(numbers, kind="stable")
        ordered = numbers[rows]
        first = np.concatenate(([True], ordered[1:] != ordered[:-1]))[: len(rows)] & (ordered != _NONE)
        skip = np.ones(len(numbers), dtype=bool)
        skip[rows[first]] = False
        twice = int(skip.sum() - (numbers == _NONE).sum())
        self._tally.add("duplicate-image", "images with an id that was there already were left out", file, twice)
        return skip, rows[first]

    def _sorted(
        self,
        annotations: Elements,
        descriptor: int,
        keys: Keys,
        images: tuple[NDArray[np.int64], NDArray[np.int64]],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sort the annotations by image.

        Args:
            images: Numbers of the images, ascending, and their positions.

        Returns:
            `Part.order` and `Part.first`.
        """
        file = annotations.file.name
        owners = np.full(len(annotations), _NONE, dtype=np.int64)
        ids = np.full(len(annotations), _NONE, dtype=np.int64)
        for first, batch in annotations.decode(descriptor, _Owner):
            last = first + len(batch)
            owners[first:last] = [_NONE if type(item) is Unfit else keys(item.image_id) for item in batch]
            ids[first:last] = [_NONE if type(item) is Unfit else keys(item.id) for item in batch]
        ids = ids[ids != _NONE]
        self._tally.add(
            "duplicate-annotation", "annotations share an id; all are kept", file, len(ids) - len(np.unique(ids))
        )
        numbers, rows = images
        place = np.minimum(np.searchsorted(numbers, owners), max(len(numbers) - 1, 0))
        known = numbers[place] == owners if len(numbers) else np.zeros(len(owners), dtype=bool)
        lost = int(len(owners) - known.sum())
        self._tally.add("unknown-image", "annotations of images that are not in the file", file, lost)
        order = np.flatnonzero(known)
        row = rows[place[order]] if len(numbers) else order
        sorting = np.argsort(row, kind="stable")
        count = int(rows.max()) + 1 if len(rows) else 0
        return order[sorting], np.searchsorted(row[sorting], np.arange(max(count, 0) + 1))


def name_of(item: Image) -> str:
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
