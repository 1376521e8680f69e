"""Write COCO JSON in one pass over the images, some hundreds at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from appliance.errors import InvalidGeometry, InvalidInput
from appliance.formats._base import CROWD, Dataset, Tally, kebab
from appliance.formats._names import Namer
from appliance.geometry import Geometry, convert
from appliance.geometry.box import Box
from appliance.geometry.keypoints import Keypoints
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon
from appliance.geometry.rotated_box import RotatedBox
from appliance.records import Annotation, AttributeValue, DatasetImage, Label, Note, Split

__all__ = ["CocoWriter"]

_SCALE = 1000.0
"""Three decimals: half a thousandth of a pixel at most is lost."""

_BATCH_NUMBERS = 40_000
_SPOOL_BYTES = 32 << 20
_COPY_BYTES = 1 << 20


class _Category(msgspec.Struct, omit_defaults=True):
    id: int
    name: str
    supercategory: str
    keypoints: list[str] | None = None
    skeleton: list[tuple[int, int]] | None = None


class _Image(msgspec.Struct):
    id: int
    file_name: str
    width: int
    height: int


class _Entry(msgspec.Struct, omit_defaults=True):
    """One annotation; fields without a default are always written."""

    id: int
    image_id: int
    category_id: int
    bbox: list[float]
    area: float
    segmentation: Any
    iscrowd: int
    keypoints: list[float] | None = None
    num_keypoints: int | None = None
    score: float | None = None
    attributes: dict[str, AttributeValue] | None = None


class CocoWriter:
    """Makes the chunks of COCO files and counts what they cannot hold.

    Args:
        dataset: What is written.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._labels = sorted(dataset.labels, key=lambda label: label.class_index)
        self._categories = {label.id: number for number, label in enumerate(self._labels, start=1)}
        self._tally = Tally()

    def notes(self) -> list[Note]:
        return self._tally.notes()

    def named(self) -> Iterator[tuple[str, DatasetImage]]:
        """Start a stream of the images with their safe, unique paths."""
        namer = Namer()
        for image in self._dataset.images():
            yield namer(image.name), image

    def chunks(self, split: Split | None = None) -> Iterator[bytes]:
        """Make the file of one split, or of all images."""
        encode = msgspec.json.Encoder().encode
        categories = b",\n".join(encode(_category(label, self._categories[label.id])) for label in self._labels)
        yield b'{"info":{"description":"PixelQueue"},"licenses":[],\n"categories":[\n%b],\n' % categories
        yield b'"annotations":[\n'
        # Images come last, so that the dataset is gone through once and only their short rows wait.
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as rows:
            batch = _Batch()
            glue, image_glue = b"", b""
            for number, (path, image) in enumerate(self.named(), start=1):
                if split is not None and image.split != split:
                    continue
                if path != image.name:
                    self._tally.add("renamed", f"{image.name!r} is called {path!r} in the files", path)
                rows.write(image_glue + encode(_Image(number, path, image.width, image.height)))
                image_glue = b",\n"
                self._add(batch, image, number)
                if batch.numbers > _BATCH_NUMBERS:
                    yield glue + batch.encoded()
                    glue = b",\n"
            if batch.entries:
                yield glue + batch.encoded()
            yield b'],\n"images":[\n'
            rows.seek(0)
            while chunk := rows.read(_COPY_BYTES):
                yield chunk
        yield b"]}\n"

    def _add(self, batch: _Batch, image: DatasetImage, number: int) -> None:
        for annotation in image.annotations:
            category = self._categories.get(annotation.label_id)
            if category is None:
                raise InvalidInput(f"{image.name}: the dataset has no label {annotation.label_id}", field="label_id")
            if annotation.status == "rejected":
                self._tally.add("rejected", "rejected predictions are not written", image.name)
                continue
            entry = _Entry(batch.next_id, number, category, [], 0.0, [], 0)
            if self._shape(batch, entry, annotation, image):
                _facts(entry, annotation)
                batch.next_id += 1
                batch.entries.append(entry)

    def _shape(self, batch: _Batch, entry: _Entry, annotation: Annotation, image: DatasetImage) -> bool:
        """Put the geometry into the entry, or into the batch's arrays; say whether COCO can hold it."""
        geometry = annotation.geometry
        if annotation.attributes and annotation.attributes.get(CROWD) is True:
            return self._crowd(entry, geometry, image)
        if isinstance(geometry, Box):
            batch.box(entry, geometry)
        elif isinstance(geometry, Polygon):
            batch.polygon(entry, geometry)
        elif isinstance(geometry, Mask):
            _put_mask(entry, geometry)
        elif isinstance(geometry, Keypoints):
            _put_keypoints(entry, geometry)
        elif isinstance(geometry, RotatedBox):
            outline = convert.to_polygon(geometry)
            clipped = outline.clipped(image.width, image.height) if image.width and image.height else outline
            if clipped is None:
                return self._lost(geometry, image)
            self._tally.add("rotated-box-as-polygon", "rotated boxes are polygons of their corners", image.name)
            batch.polygon(entry, clipped)
        else:
            return self._lost(geometry, image)
        return True

    def _crowd(self, entry: _Entry, geometry: Geometry, image: DatasetImage) -> bool:
        """Write a crowd region as a mask, as COCO's evaluation needs it."""
        if not (image.width and image.height):
            self._tally.add("no-size", "crowds of an image without a size have no mask", image.name)
            return False
        try:
            mask = convert.to_mask(geometry, image.width, image.height)
        except InvalidGeometry:
            return self._lost(geometry, image)
        if not isinstance(geometry, Mask):
            self._tally.add("crowd-as-mask", "crowd regions are masks", image.name)
        _put_mask(entry, mask)
        entry.iscrowd = 1
        return True

    def _lost(self, geometry: Geometry, image: DatasetImage) -> bool:
        self._tally.add(f"no-{kebab(geometry.name)}", f"COCO has no place for a {geometry.name}", image.name)
        return False


class _Batch:
    """Annotations of some images: coordinates go through numpy together, then all are encoded at once."""

    def __init__(self) -> None:
        self.next_id = 1
        self._encode = msgspec.json.Encoder().encode
        self._clear()

    def _clear(self) -> None:
        self.entries: list[_Entry] = []
        self._boxed: list[_Entry] = []
        self._edges: list[float] = []
        self._outlined: list[tuple[_Entry, int]] = []
        self._rings: list[list[float]] = []
        self.numbers = 0

    def box(self, entry: _Entry, box: Box) -> None:
        self._boxed.append(entry)
        self._edges += (box.x1, box.y1, box.x2, box.y2)
        self.numbers += 20

    def polygon(self, entry: _Entry, polygon: Polygon) -> None:
        parts = polygon.parts
        rings = parts[0] if len(parts) == 1 == len(parts[0]) else convert.polygon_to_coco(polygon)
        self._outlined.append((entry, len(rings)))
        self._rings += rings
        self.numbers += 20 + sum(map(len, rings))

    def encoded(self) -> bytes:
        """Return the entries as JSON with commas between, and start anew."""
        if self._boxed:
            self._fill_boxes()
        if self._outlined:
            self._fill_polygons()
        text = self._encode(self.entries)[1:-1]
        self._clear()
        return text

    def _fill_boxes(self) -> None:
        edges = np.array(self._edges).reshape(-1, 4)
        sizes = np.maximum(edges[:, 2:] - edges[:, :2], 1 / _SCALE)  # nothing is rounded away
        bboxes_xywh = _rounded(np.concatenate((edges[:, :2], sizes), axis=1)).tolist()
        areas = _rounded(sizes[:, 0] * sizes[:, 1]).tolist()
        for entry, bbox_xywh, area in zip(self._boxed, bboxes_xywh, areas, strict=True):
            entry.bbox = bbox_xywh
            entry.area = area

    def _fill_polygons(self) -> None:
        lengths = np.fromiter(map(len, self._rings), dtype=np.int64, count=len(self._rings))
        stops = np.cumsum(lengths)
        flat = np.empty(int(stops[-1]))
        for ring, stop in zip(self._rings, stops.tolist(), strict=True):
            flat[stop - len(ring) : stop] = ring
        flat = _rounded(flat)
        counts = np.array([count for _, count in self._outlined])
        firsts = np.concatenate(([0], np.cumsum(counts)[:-1]))
        bboxes_xywh, areas = _measure(flat.reshape(-1, 2), lengths // 2, firsts)
        numbers, ends = flat.tolist(), stops.tolist()
        ring = 0
        for (entry, count), bbox_xywh, area in zip(self._outlined, bboxes_xywh, areas, strict=True):
            last = ring + count
            begins = [ends[i - 1] if i else 0 for i in range(ring, last)]
            entry.segmentation = [numbers[begin:end] for begin, end in zip(begins, ends[ring:last], strict=True)]
            entry.bbox = bbox_xywh
            entry.area = area
            ring = last


def _measure(
    points: NDArray[np.float64], lengths: NDArray[np.int64], firsts: NDArray[np.int64]
) -> tuple[list[list[float]], list[float]]:
    """Return COCO boxes and areas of polygons.

    Args:
        points: Shape (n, 2): the vertices of all rings, one after the other, in pixels.
        lengths: Shape (rings,): vertices per ring.
        firsts: Shape (polygons,): each polygon's first ring.
    """
    ends = np.cumsum(lengths)
    starts = ends - lengths
    following = np.arange(1, len(points) + 1)
    following[ends - 1] = starts
    near = points - np.repeat(points[starts], lengths, axis=0)  # keeps the digits of far, small shapes
    cross = near[:, 0] * near[following, 1] - near[following, 0] * near[:, 1]
    areas = np.add.reduceat(np.abs(np.add.reduceat(cross, starts)) / 2, firsts)
    low = np.minimum.reduceat(points, starts[firsts], axis=0)
    high = np.maximum.reduceat(points, starts[firsts], axis=0)
    return _rounded(np.concatenate((low, high - low), axis=1)).tolist(), _rounded(areas).tolist()


def _rounded(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.rint(numbers * _SCALE) / _SCALE + 0.0  # the sum turns -0.0 into 0.0


def _bbox_xywh(geometry: Geometry) -> list[float]:
    x1, y1, x2, y2 = geometry.bounds()
    return _rounded(np.array((x1, y1, x2 - x1, y2 - y1))).tolist()


def _put_mask(entry: _Entry, mask: Mask) -> None:
    entry.bbox = _bbox_xywh(mask)
    entry.area = mask.area()
    entry.segmentation = {"size": mask.size, "counts": mask.counts}


def _put_keypoints(entry: _Entry, shape: Keypoints) -> None:
    entry.bbox = _bbox_xywh(shape)
    entry.area = entry.bbox[2] * entry.bbox[3]
    points = np.array(shape.triples())
    points[points[:, 2] == 0] = 0.0  # absent: COCO wants zeros
    entry.keypoints = _rounded(points).ravel().tolist()
    entry.num_keypoints = int((points[:, 2] > 0).sum())


def _facts(entry: _Entry, annotation: Annotation) -> None:
    if annotation.source == "model":
        entry.score = annotation.confidence
    if annotation.attributes:
        entry.attributes = {k: v for k, v in annotation.attributes.items() if k != CROWD} or None


def _category(label: Label, number: int) -> _Category:
    skeleton = label.skeleton
    if skeleton is None:
        return _Category(number, label.name, "")
    edges = [(a + 1, b + 1) for a, b in skeleton.edges]
    return _Category(number, label.name, "", skeleton.points, edges)
