"""Write COCO JSON in one pass over the images, some hundreds at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import msgspec

from appliance.errors import InvalidGeometry, InvalidInput
from appliance.formats._base import CROWD, Dataset, Tally, kebab
from appliance.formats._coco_entries import Batch, Entry, put_keypoints, put_mask
from appliance.formats._names import Namer
from appliance.geometry import Geometry, convert
from appliance.geometry.box import Box
from appliance.geometry.keypoints import Keypoints
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon
from appliance.geometry.rotated_box import RotatedBox
from appliance.records import Annotation, DatasetImage, Label, Note, Split

__all__ = ["CocoWriter"]

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
            batch = Batch()
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

    def _add(self, batch: Batch, image: DatasetImage, number: int) -> None:
        for annotation in image.annotations:
            category = self._categories.get(annotation.label_id)
            if category is None:
                raise InvalidInput(f"{image.name}: the dataset has no label {annotation.label_id}", field="label_id")
            if annotation.status == "rejected":
                self._tally.add("rejected", "rejected predictions are not written", image.name)
                continue
            entry = Entry(batch.next_id, number, category, [], 0.0, [], 0)
            if self._shape(batch, entry, annotation, image):
                _facts(entry, annotation)
                batch.next_id += 1
                batch.entries.append(entry)

    def _shape(self, batch: Batch, entry: Entry, annotation: Annotation, image: DatasetImage) -> bool:
        """Put the geometry into the entry, or into the batch's arrays; say whether COCO can hold it."""
        geometry = annotation.geometry
        if annotation.attributes and annotation.attributes.get(CROWD) is True:
            return self._crowd(entry, geometry, image)
        if isinstance(geometry, Box):
            batch.box(entry, geometry)
        elif isinstance(geometry, Polygon):
            batch.polygon(entry, geometry)
        elif isinstance(geometry, Mask):
            put_mask(entry, geometry)
        elif isinstance(geometry, Keypoints):
            put_keypoints(entry, geometry)
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

    def _crowd(self, entry: Entry, geometry: Geometry, image: DatasetImage) -> bool:
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
        put_mask(entry, mask)
        entry.iscrowd = 1
        return True

    def _lost(self, geometry: Geometry, image: DatasetImage) -> bool:
        self._tally.add(f"no-{kebab(geometry.name)}", f"COCO has no place for a {geometry.name}", image.name)
        return False


def _facts(entry: Entry, annotation: Annotation) -> None:
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
