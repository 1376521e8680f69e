"""Read YOLO datasets: names in their many forms, and label files beside the pictures."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.errors import InvalidGeometry, InvalidInput, UnreadableDataset
from appliance.formats._base import ReadLabel, SizeOf, Tally
from appliance.formats._folders import Inside
from appliance.formats._yolo_description import MAX_YAML_BYTES, description_of, pose_columns
from appliance.formats._yolo_pictures import Pictures
from appliance.formats._yolo_rows import Row, RowError, parsed
from appliance.records import Annotation, DatasetImage, Note

__all__ = ["YoloReader"]

_MAX_LABEL_BYTES = 64 << 20
_MAX_CLASSES = 100_000


class YoloReader:
    """A YOLO dataset in a folder.

    Args:
        inside: The dataset's folder.
        description: Its ``data.yaml``, or None where there is none.
        labels_folder: Name that takes the place of ``images`` in the paths of label files.
        size_of: Tells the sizes of pictures; without it nothing can be read.

    Attributes:
        labels: The names, by class index.

    Raises:
        UnreadableDataset: ``data.yaml`` is broken, or there are no pictures.
    """

    def __init__(self, inside: Inside, description: Path | None, labels_folder: str, size_of: SizeOf | None) -> None:
        self._inside = inside
        self._labels_folder = labels_folder
        self._size_of = size_of
        self._opening = Tally()
        self._tally = Tally()
        self._file = description.name if description else inside.root.name
        facts = description_of(description) if description else {}
        self._pose = pose_columns(facts.get("kpt_shape"))
        self._trusted: dict[str, bool] = {}
        pictures = Pictures(inside, facts, self._file, self._opening)
        self._paths, self._splits = pictures.paths, pictures.splits
        names = self._names(facts)
        self.labels = [ReadLabel(name=name, category=index) for index, name in sorted(names.items())]
        self._positions = {label.category: position for position, label in enumerate(self.labels)}

    @property
    def notes(self) -> list[Note]:
        return self._opening.notes() + self._tally.notes()

    def picture_path(self, name: str) -> Path | None:
        path = self._paths.get(name)
        return None if path is None else self._inside.root / path

    def images(self) -> Iterator[DatasetImage]:
        """Start a stream of the images.

        Raises:
            InvalidInput: Nobody tells the sizes of pictures.
        """
        if self._size_of is None:
            raise InvalidInput("YOLO labels are fractions: reading them needs the sizes of the pictures")
        self._tally.clear()
        found: Counter[str] = Counter()
        for number, ((name, path), split) in enumerate(zip(self._paths.items(), self._splits, strict=True)):
            label = self._label_path(path)
            rows = self._rows(label, found)
            if rows is None:
                continue
            size = self._size_of(self._inside.root / path)
            if size is None or min(size) <= 0:
                self._tally.add("bad-picture", "pictures that cannot be read were left out", path)
                continue
            annotations = list(self._annotations(rows, label, number, *size))
            yield DatasetImage(name=name, width=size[0], height=size[1], split=split, annotations=annotations)
        self._count_orphans(found)

    # Opening

    def _names(self, facts: dict[str, Any]) -> dict[int, str]:
        """Return the names by class index, from any of the forms they are written in."""
        given = facts.get("names")
        if isinstance(given, list):
            given = dict(enumerate(given))
        if given is None or given == "":
            given = self._made_up(facts)
        if not isinstance(given, dict) or len(given) > _MAX_CLASSES:
            raise self._broken("names should be a list, or a mapping from class index to name", "names")
        names: dict[int, str] = {}
        for key, name in given.items():
            if not isinstance(name, str) or not str(key).isdecimal() or len(str(key)) > 9:
                raise self._broken(f"names: {key!r}: {str(name)[:40]!r} is no class index and name", "names")
            names[int(key)] = name.strip()[:200] or f"class {key}"
        return names

    def _made_up(self, facts: dict[str, Any]) -> dict[int, str]:
        """Return names from ``classes.txt``, or numbered ones as far as ``nc`` or the labels go."""
        listed = self._inside.file([self._inside.root, self._inside.root / self._labels_folder], ["classes.txt"])
        if listed is not None:
            lines = listed.read_bytes()[:MAX_YAML_BYTES].decode("utf-8-sig", "replace").split("\n")
            return {index: line.strip() for index, line in enumerate(lines) if line.strip()}
        count = str(facts.get("nc", ""))
        if not (count.isdecimal() and int(count) <= _MAX_CLASSES):
            count = str(1 + max((row.index for row in self._all_rows()), default=-1))
        self._opening.add("no-names", "the files tell no names of classes; they are numbered", self._file)
        return {index: f"class {index}" for index in range(min(int(count), _MAX_CLASSES))}

    def _all_rows(self) -> Iterator[Row]:
        for path in self._paths.values():
            for _, row in self._rows(self._label_path(path), Counter()) or []:
                if isinstance(row, Row) and row.index < _MAX_CLASSES:
                    yield row
        self._tally.clear()

    # Streaming

    def _label_path(self, path: str) -> str:
        """Return where a picture's labels are: the last ``images`` of its path becomes ``labels``."""
        parts = path.split(os.sep)
        for index in range(len(parts) - 2, -1, -1):
            if parts[index] == "images":
                parts[index] = self._labels_folder
                break
        return os.path.splitext(os.sep.join(parts))[0] + ".txt"

    def _rows(self, label: str, found: Counter[str]) -> list[tuple[int, Row | RowError]] | None:
        """Read a label file: no file is no objects; None means that it cannot be read."""
        try:
            data = self._label_bytes(label)
        except FileNotFoundError:
            return []
        except OSError as error:
            self._tally.add("bad-label-file", f"its image was left out: {error.strerror or error}", label)
            return None
        found[os.path.dirname(label)] += 1
        rows = parsed(data, self._pose)
        self._tally.add("duplicate-row", "rows that were there already were left out", label, rows.doubled)
        return rows.found

    def _label_bytes(self, label: str) -> bytes:
        path = os.path.join(self._inside.root, label)
        facts = os.lstat(path)
        folder = os.path.dirname(path)
        if folder not in self._trusted:
            self._trusted[folder] = self._inside.holds(Path(folder))
        if not self._trusted[folder] or (stat.S_ISLNK(facts.st_mode) and not self._inside.holds(Path(path))):
            raise OSError("its label file is outside the dataset")
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _MAX_LABEL_BYTES:
            raise OSError(f"its label file is no file of up to {_MAX_LABEL_BYTES >> 20} MB")
        with open(path, "rb") as file:
            return file.read(_MAX_LABEL_BYTES)

    def _annotations(
        self, rows: list[tuple[int, Row | RowError]], label: str, number: int, width: int, height: int
    ) -> Iterator[Annotation]:
        for line, row in rows:
            if isinstance(row, RowError):
                self._tally.add(row.code, f"line {line}: {row.problem}", label)
                continue
            position = self._positions.get(row.index)
            if position is None:
                self._tally.add("unknown-class", f"line {line}: there is no class {row.index}", label)
                continue
            if row.keypoints:
                self._tally.add("no-keypoints", f"line {line}: only the box was read, no keypoints", label)
            try:
                geometry, clipped = row.geometry(width, height)
            except InvalidGeometry as error:
                self._tally.add("bad-geometry", f"line {line} was left out: {error.message}", label)
                continue
            if clipped:
                self._tally.add("clipped", f"line {line} reaches out of its image and was clipped", label)
            yield Annotation(
                id=f"y{number:07d}-{line:06d}",
                label_id=position,
                geometry=geometry,
                source="import" if row.confidence is None else "model",
                confidence=row.confidence,
            )

    def _count_orphans(self, found: Counter[str]) -> None:
        """Count label files that no picture has."""
        for folder, count in sorted(found.items()):
            names = os.listdir(self._inside.root / folder)
            there = sum(name.endswith(".txt") and name != "classes.txt" for name in names)
            self._tally.add("no-picture", "label files without a picture", folder, max(there - count, 0))

    def _broken(self, problem: str, field: str | None = None) -> UnreadableDataset:
        return UnreadableDataset(f"{self._file}: {problem}", file=self._file, field=field)
