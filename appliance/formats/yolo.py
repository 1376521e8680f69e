"""YOLO: a text file per picture, one row per object, in fractions of the picture.

Source: https://docs.ultralytics.com/datasets/detect/ and https://docs.ultralytics.com/datasets/segment/
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from appliance.errors import UnreadableDataset
from appliance.formats._base import Candidate, Dataset, Format, ReadOptions, Sink, SizeOf, WriteOptions, chosen
from appliance.formats._folders import Inside
from appliance.formats._yolo_description import description_of
from appliance.formats._yolo_read import YoloReader
from appliance.formats._yolo_write import YoloWriter
from appliance.records import Note

__all__ = ["FORMAT", "YoloOptions", "YoloReadOptions"]

_OUTLINED = frozenset({"polygon", "mask"})
_USUAL = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")


class YoloOptions(WriteOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How YOLO is written.

    Attributes:
        task: ``detect`` writes boxes, ``segment`` polygons, ``auto`` polygons where the dataset
            has a polygon or a mask.
        pictures: Put the pictures below ``images/``, too; loaders need them.
    """

    task: Literal["auto", "detect", "segment"] = "auto"
    pictures: bool = True


class YoloReadOptions(ReadOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How YOLO is read.

    Attributes:
        labels: The folder that stands for ``images`` in the paths of label files.
    """

    labels: str = "labels"


class Yolo(Format):
    """Boxes (detect) or polygons (segment); loaders refuse files that mix them.

    ``images/<split>/…``, ``labels/<split>/….txt`` (empty for an image without objects) and a
    ``data.yaml`` without absolute paths. Numbers have eight decimals. Class indices are 0…N-1 in
    the order of the labels'. A polygon's holes and parts are joined by slits of no width, which
    are undone when it is read.
    """

    name = "yolo"
    title = "YOLO"
    geometries = frozenset({"box", "polygon"})
    write_options = YoloOptions
    read_options = YoloReadOptions

    def write(self, dataset: Dataset, sink: Sink, options: WriteOptions | None = None) -> list[Note]:
        how = chosen(options, YoloOptions)
        segment = how.task == "segment" or (how.task == "auto" and _has_outlines(dataset))
        return YoloWriter(dataset, sink, segment=segment, pictures=how.pictures).write()

    def recognise(self, folder: str | Path) -> Candidate | None:
        path = Path(folder)
        if not path.is_dir():
            return None
        found = _descriptions(path)
        if found:
            return Candidate(format=self.name, files=[file.name for file in found])
        labels = path / "labels"
        if (path / "images").is_dir() and next(labels.rglob("*.txt"), None) is not None:
            return Candidate(format=self.name, files=["labels"])
        return None

    def read(
        self, folder: str | Path, options: ReadOptions | None = None, *, size_of: SizeOf | None = None
    ) -> YoloReader:
        how = chosen(options, YoloReadOptions)
        path = Path(folder)
        file = how.file
        if path.is_file():
            path, file = path.parent, path.name
        inside = Inside(path)
        if file is None:
            description = next(iter(_descriptions(path)), None)
        else:
            description = inside.file([path], [file])
            if description is None:
                raise UnreadableDataset(f"{file}: there is no such file in the dataset", file=file)
        if not inside.holds(inside.root / how.labels):
            raise UnreadableDataset(f"{how.labels}: outside the dataset", file=how.labels)
        return YoloReader(inside, description, how.labels, size_of)


def _has_outlines(dataset: Dataset) -> bool:
    if dataset.geometries is not None:
        return bool(dataset.geometries & _OUTLINED)
    return any(
        annotation.geometry.name in _OUTLINED for image in dataset.images() for annotation in image.annotations
    )


def _descriptions(folder: Path) -> list[Path]:
    """Return the YAML files that describe a dataset, the usual names first."""
    usual = [folder / name for name in _USUAL if (folder / name).is_file()]
    others = sorted({*folder.glob("*.yaml"), *folder.glob("*.yml")} - set(usual))
    return usual + [path for path in others if _describes(path)]


def _describes(path: Path) -> bool:
    try:
        facts = description_of(path)
    except UnreadableDataset:
        return False
    return "names" in facts and bool(facts.keys() & {"train", "val", "test"})


FORMAT = Yolo()
