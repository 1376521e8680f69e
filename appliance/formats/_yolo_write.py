"""Write YOLO label files, some hundreds of images at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import yaml

from appliance.errors import InvalidInput
from appliance.formats._base import CROWD, Dataset, Sink, Tally, kebab
from appliance.formats._folders import PICTURE_SUFFIXES
from appliance.formats._names import Namer, safe_path
from appliance.formats._rows import CELL_BYTES, cells, one_ring
from appliance.geometry import convert
from appliance.geometry.box import Box
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon
from appliance.geometry.rotated_box import RotatedBox
from appliance.records import Annotation, DatasetImage, Note, Split

__all__ = ["YoloWriter", "yolo_path"]

_BATCH_NUMBERS = 40_000
_SPLITS: tuple[Split, ...] = ("train", "val", "test")


def yolo_path(name: str) -> str:
    """Return a safe path in which no folder is called ``images`` or ``labels``.

    Loaders find a label file by replacing the last ``images`` of the picture's path.
    """
    parts = safe_path(name).split("/")
    return "/".join(part + "_" if part in ("images", "labels") else part for part in parts)


def _without_suffix(path: str) -> str:
    folder, slash, last = path.rpartition("/")
    return folder + slash + (last.rpartition(".")[0] or last)


class YoloWriter:
    """Puts pictures, label files and ``data.yaml`` into a sink and counts what YOLO cannot hold.

    Args:
        dataset: What is written.
        sink: Where to.
        segment: Polygons instead of boxes.
        pictures: Whether pictures are put there, too.
    """

    def __init__(self, dataset: Dataset, sink: Sink, *, segment: bool, pictures: bool) -> None:
        self._dataset = dataset
        self._sink = sink
        self._segment = segment
        self._pictures = pictures
        self._labels = sorted(dataset.labels, key=lambda label: label.class_index)
        self._prefixes = {label.id: b"%d " % index for index, label in enumerate(self._labels)}
        self._tally = Tally()
        self._splits: set[Split] = set()

    def write(self) -> list[Note]:
        if any(label.class_index != index for index, label in enumerate(self._labels)):
            self._tally.add("renumbered", "class indices have gaps; in the files they are 0…N-1 in their order")
        batch = _Batch()
        for path, image in self._named():
            if self._pictures:
                self._sink.picture(f"images/{image.split}/{path}", image)
            batch.begin(f"labels/{image.split}/{_without_suffix(path)}.txt", image)
            for annotation in image.annotations:
                self._add(batch, annotation, image)
            if len(batch.numbers) > _BATCH_NUMBERS:
                batch.flush(self._sink)
        batch.flush(self._sink)
        self._sink.write("data.yaml", [self._description()])
        return self._tally.notes()

    def _named(self) -> Iterator[tuple[str, DatasetImage]]:
        namer = Namer(_without_suffix, yolo_path)
        for image in self._dataset.images():
            if not (image.width > 0 and image.height > 0):
                self._tally.add("no-size", "images without a known size are left out", image.name)
                continue
            path = namer(image.name)
            if path != image.name:
                self._tally.add("renamed", f"{image.name!r} is called {path!r} in the files", path)
            if os.path.splitext(path)[1].lower() not in PICTURE_SUFFIXES:
                self._tally.add("unusual-suffix", "loaders pass over pictures without a usual suffix", path)
            self._splits.add(image.split)
            yield path, image

    def _add(self, batch: _Batch, annotation: Annotation, image: DatasetImage) -> None:
        prefix = self._prefixes.get(annotation.label_id)
        if prefix is None:
            raise InvalidInput(f"{image.name}: the dataset has no label {annotation.label_id}", field="label_id")
        if annotation.status == "rejected":
            self._tally.add("rejected", "rejected predictions are not written", image.name)
            return
        if annotation.attributes:
            if annotation.attributes.get(CROWD) is True:
                self._tally.add("no-crowd", "YOLO has no crowd regions; they are left out", image.name)
                return
            self._tally.add("no-attributes", "YOLO has no attributes; the objects are there", image.name)
        if annotation.confidence is not None:
            self._tally.add("no-score", "YOLO labels have no confidence; the objects are there", image.name)
        numbers = self._outline(annotation, image) if self._segment else self._box(annotation, image)
        if numbers is not None:
            batch.row(prefix, numbers)

    def _box(self, annotation: Annotation, image: DatasetImage) -> tuple[float, ...] | None:
        shape = annotation.geometry
        if not isinstance(shape, Box):
            if not isinstance(shape, (Polygon, Mask, RotatedBox)):
                return self._lost(shape.name, image)
            self._tally.add(f"{kebab(shape.name)}-as-box", f"a {shape.name} is the box around it", image.name)
            clipped = convert.to_box(shape).clipped(image.width, image.height)
            if clipped is None:
                return self._lost(shape.name, image)
            shape = clipped
        return (shape.x1 + shape.x2) / 2, (shape.y1 + shape.y2) / 2, shape.x2 - shape.x1, shape.y2 - shape.y1

    def _outline(self, annotation: Annotation, image: DatasetImage) -> list[float] | None:
        shape = annotation.geometry
        if isinstance(shape, Polygon) and len(shape.parts) == 1 == len(shape.parts[0]):
            return shape.parts[0][0]
        if isinstance(shape, Polygon):
            polygon: Polygon | None = shape
        elif isinstance(shape, (Box, Mask, RotatedBox)):
            self._tally.add(f"{kebab(shape.name)}-as-polygon", f"a {shape.name} is a polygon around it", image.name)
            polygon = convert.to_polygon(shape)
            if isinstance(shape, RotatedBox):
                polygon = polygon.clipped(image.width, image.height)
        else:
            polygon = None
        if polygon is None:
            return self._lost(shape.name, image)
        if len(polygon.parts) > 1:
            self._tally.add("joined-parts", "parts are joined by slits of no width", image.name)
        if any(len(part) > 1 for part in polygon.parts):
            self._tally.add("joined-holes", "holes are joined to their ring by slits of no width", image.name)
        return one_ring(polygon)

    def _lost(self, kind: str, image: DatasetImage) -> None:
        self._tally.add(f"no-{kebab(kind)}", f"YOLO has no place for a {kind}; it is left out", image.name)

    def _description(self) -> bytes:
        splits = [split for split in _SPLITS if split in self._splits] or ["train"]
        folders = {split: f"images/{split}" for split in splits}
        for split in ("train", "val"):  # loaders insist on both
            if split not in folders:
                folders[split] = f"images/{splits[0]}"
                self._tally.add(f"no-{split}-split", f"no image is in {split}: data.yaml names {splits[0]} for it")
        names = {index: label.name for index, label in enumerate(self._labels)}
        facts = {split: folders[split] for split in _SPLITS if split in folders}
        facts |= {"nc": len(names), "names": names}
        return yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=1000).encode()


class _Batch:
    """Rows of some images: all their numbers become text in one go."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.numbers: list[float] = []
        self._rows: list[tuple[bytes, int]] = []
        self._files: list[tuple[str, int, int, int, int]] = []

    def begin(self, path: str, image: DatasetImage) -> None:
        """Begin the label file of the next image."""
        self._files.append((path, image.width, image.height, len(self._rows), len(self.numbers)))

    def row(self, prefix: bytes, numbers: list[float] | tuple[float, ...]) -> None:
        """Add a row to it: x and y in turn, in pixels."""
        self.numbers += numbers
        self._rows.append((prefix, len(self.numbers)))

    def flush(self, sink: Sink) -> None:
        """Write the label files and start anew."""
        if not self._files:
            return
        text, rows = self._text(), self._rows
        firsts = [first for _, _, _, first, _ in self._files] + [len(rows)]
        start = 0
        for (path, *_), first, last in zip(self._files, firsts, firsts[1:], strict=False):
            lines = []
            for prefix, stop in rows[first:last]:
                end = stop * CELL_BYTES
                lines.append(prefix + text[start : end - 1] + b"\n")
                start = end
            sink.write(path, [b"".join(lines)])
        self._clear()

    def _text(self) -> bytes:
        sizes = np.array([(width, height) for _, width, height, _, _ in self._files], dtype=np.float64)
        begins = np.array([begin for *_, begin in self._files] + [len(self.numbers)])
        points = np.array(self.numbers, dtype=np.float64).reshape(-1, 2)
        return cells((points / np.repeat(sizes, np.diff(begins) // 2, axis=0)).ravel())
