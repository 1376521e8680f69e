"""Read COCO JSON, streaming: flat memory whatever the size and order of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from appliance.formats import _coco_shapes as shapes
from appliance.formats._base import CROWD, SizeOf, Tally
from appliance.formats._coco_open import MAX_KEY, Image, Opening, Part, name_of
from appliance.formats._folders import Inside
from appliance.formats._json import Elements, Unfit
from appliance.records import Annotation, AttributeValue, DatasetImage, Note

__all__ = ["CocoReader"]


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
        self._inside = inside
        self._size_of = size_of
        self._opening = Tally()
        for path in others:
            self._opening.add("other-file", "an annotation file beside the chosen ones", inside.relative(path))
        self._tally = Tally()
        opening = Opening(inside, self._opening)
        self._parts = [opening.part(number, path) for number, path in enumerate(files)]
        self.labels = opening.labels
        self._originals = opening.originals
        self._part_of = opening.part_of
        self._folders = opening.folders

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

    def _images(self, part: Part, descriptor: int) -> Iterator[DatasetImage]:
        decoder = msgspec.json.Decoder(list[shapes.CocoAnnotation])
        for first, batch in part.images.decode(descriptor, Image):
            for index, item in enumerate(batch, start=first):
                if part.skip[index] or isinstance(item, Unfit):
                    continue
                name = part.renamed.get(index) or name_of(item)
                width, height = self._size(item, name, part.images)
                rows = part.order[part.first[index] : part.first[index + 1]]
                found = _decode(decoder, part.annotations, descriptor, rows)
                annotations = [
                    annotation
                    for row, raw in zip(rows.tolist(), found, strict=True)
                    if (annotation := self._annotation(part, row, raw, width, height)) is not None
                ]
                yield DatasetImage(name=name, width=width, height=height, split=part.split, annotations=annotations)

    def _size(self, item: Image, name: str, images: Elements) -> tuple[int, int]:
        width, height = item.width or 0, item.height or 0
        if 0 < width <= shapes.UNBOUNDED and 0 < height <= shapes.UNBOUNDED:
            return width, height
        path = self.picture_path(name) if self._size_of else None
        size = self._size_of(path) if self._size_of and path else None
        if size is None:
            self._tally.add("no-size", f"{name}: the file tells no width and height", images.file.name)
        return size or (0, 0)

    def _annotation(
        self, part: Part, row: int, raw: shapes.CocoAnnotation | Unfit, width: int, height: int
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

    def _confidence(self, score: float | None, part: Part, row: int) -> float | None:
        if score is not None and 0 <= score <= 1:
            return score
        message = f"{part.annotations.place(row)}: the score {score} is not between 0 and 1"
        self._tally.add("bad-score", message, part.annotations.file.name)
        return None

    def _attributes(self, found: dict[str, Any], part: Part, row: int) -> dict[str, AttributeValue]:
        kept: dict[str, AttributeValue] = {}
        for name, value in found.items():
            if isinstance(value, bool | str | float):
                kept[name] = value
            elif isinstance(value, int) and abs(value) < MAX_KEY:
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
