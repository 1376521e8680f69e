"""COCO: one JSON file of images, categories and annotations.

Source: https://cocodataset.org/#format-data
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from appliance.errors import UnreadableDataset
from appliance.formats._base import Candidate, Dataset, Format, ReadOptions, Sink, SizeOf, WriteOptions, chosen
from appliance.formats._coco_read import CocoReader
from appliance.formats._coco_write import CocoWriter
from appliance.formats._folders import Inside
from appliance.records import Note, Split

__all__ = ["FORMAT", "CocoOptions"]

_SPLITS: tuple[Split, ...] = ("train", "val", "test")
_HEAD_BYTES = 1 << 16
_KEYS = (b'"images"', b'"annotations"', b'"categories"')
_FOLDERS = ("", "annotations", "train", "valid", "val", "test")
_MOST_FILES = 99


class CocoOptions(WriteOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How COCO is written.

    Attributes:
        pictures: Put the pictures below ``images/``, too.
        splits: One file per split, ``instances_train.json`` and so on, instead of
            ``annotations.json`` with everything.
    """

    pictures: bool = False
    splits: bool = False


class Coco(Format):
    """Detection, segmentation and keypoints.

    Coordinates and areas have three decimals. A polygon's parts are rings, its holes are joined
    to them by slits of no width, which are undone when it is read. Category ids are 1…N in the
    order of the class indices, image ids 1…N in the order of the dataset. Attributes are the
    field ``attributes``, annotations made by a model carry ``score``.
    """

    name = "coco"
    title = "COCO JSON"
    geometries = frozenset({"box", "polygon", "mask", "keypoints"})
    write_options = CocoOptions

    def write(self, dataset: Dataset, sink: Sink, options: WriteOptions | None = None) -> list[Note]:
        how = chosen(options, CocoOptions)
        writer = CocoWriter(dataset)
        if how.splits:
            for split in _SPLITS:
                if any(image.split == split for image in dataset.images()):
                    sink.write(f"instances_{split}.json", writer.chunks(split))
        else:
            sink.write("annotations.json", writer.chunks())
        if how.pictures:
            for path, image in writer.named():
                sink.picture(f"images/{path}", image)
        return writer.notes()

    def recognise(self, folder: str | Path) -> Candidate | None:
        path = Path(folder)
        found = [path] if path.is_file() else list(_candidates(path))
        files = [file for file in found if _looks_right(file)]
        if not files:
            return None
        return Candidate(format=self.name, files=[_below(path, file) for file in files])

    def read(
        self, folder: str | Path, options: ReadOptions | None = None, *, size_of: SizeOf | None = None
    ) -> CocoReader:
        path = Path(folder)
        file = chosen(options, ReadOptions).file
        if path.is_file():
            root = path.parent.parent if path.parent.name == "annotations" else path.parent
            return CocoReader(Inside(root), [path], size_of)
        inside = Inside(path)
        if file is not None:
            chosen_file = inside.file([path], [file])
            if chosen_file is None:
                raise UnreadableDataset(f"{file}: there is no such file in the dataset", file=file)
            return CocoReader(inside, [chosen_file], size_of)
        files = [found for found in _candidates(path) if inside.holds(found) and _looks_right(found)]
        if not files:
            raise UnreadableDataset(f"{path.name}: no COCO JSON file in this folder", file=path.name)
        if len(files) > _MOST_FILES:
            raise UnreadableDataset(f"{path.name}: {len(files)} COCO files; name one", file=path.name)
        instances = [found for found in files if found.stem.startswith("instances")] or files
        others = [found for found in files if found not in instances]
        return CocoReader(inside, instances, size_of, others)


def _candidates(root: Path) -> Iterator[Path]:
    return chain.from_iterable(sorted((root / name).glob("*.json")) for name in _FOLDERS)


def _looks_right(path: Path) -> bool:
    """Look for the format's keys in the first and the last 64 kB."""
    if not path.is_file():
        return False
    try:
        with open(path, "rb") as file:
            text = file.read(_HEAD_BYTES)
            file.seek(0, 2)
            file.seek(max(file.tell() - _HEAD_BYTES, 0))
            text += file.read(_HEAD_BYTES)
    except OSError:
        return False
    start = text[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(b"{") and sum(key in text for key in _KEYS) >= 2


def _below(root: Path, file: Path) -> str:
    return file.name if root == file else file.relative_to(root).as_posix()


FORMAT = Coco()
