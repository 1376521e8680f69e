"""What a format is: the contract between datasets and files.

**Writing.** A `Dataset` is labels and a function that starts a fresh stream of images, so a
format may go over it more than once and never holds it. Everything goes through a `Sink`;
what the format cannot hold comes back as notes with counts, never as silence. The same
dataset and options give the same bytes, on every machine.

**Reading.** `Format.read` opens a folder (or one file) and returns a `Reader`: labels now,
images as a stream. An annotation's ``label_id`` is the **position of its label in
``Reader.labels``**, from 0, and its ``id`` is only unique inside this dataset; whoever stores
them replaces both. Names of images are safe relative POSIX paths and unique. A file that
cannot be a dataset raises `UnreadableDataset` naming the file and the place; a single bad
entry is left out, counted in ``Reader.notes``, and its neighbours are read. Notes are
complete once a stream of images has come to its end, and start anew with the next one.

**Labels** are written in the order of their ``class_index``. Annotations with the status
``rejected`` are refused predictions: no format writes them, and a note counts them.

**Crowds** (a region of many objects, not told apart) carry the attribute ``CROWD`` = True.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from appliance.errors import InvalidInput
from appliance.records import DatasetImage, Label, Note, Record, Skeleton

__all__ = [
    "CROWD", "Candidate", "Dataset", "Format", "ReadLabel", "ReadOptions", "Reader", "Sink", "SizeOf",
    "Tally", "WriteOptions", "chosen", "kebab",
]  # fmt: skip

CROWD = "iscrowd"
"""Name of the switch attribute that marks a crowd region."""

SizeOf = Callable[[Path], tuple[int, int] | None]
"""Tell the upright ``(width, height)`` of a picture file in pixels, or None if it has none."""


@dataclass(frozen=True)
class Dataset:
    """What a format writes.

    Attributes:
        labels: Labels with their class indices; annotations name them by ``Label.id``.
        images: Starts a new stream of the images, the same every time, names unique.
        geometries: Names of the geometries that occur, where that is known beforehand; it
            spares formats that must know a pass over the images.
    """

    labels: Sequence[Label]
    images: Callable[[], Iterator[DatasetImage]]
    geometries: frozenset[str] | None = None


class Sink(Protocol):
    """Where files go. Paths are relative POSIX paths and are refused if they would leave the root."""

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        """Write one file from its chunks, which are taken as they are needed."""

    def picture(self, path: str, image: DatasetImage) -> None:
        """Put the image's upright picture there."""


class ReadLabel(Record, omit_defaults=True):
    """A label as a file names it.

    `category` is the file's own id: COCO's category id, YOLO's class index as written.
    """

    name: str
    category: int | str
    supercategory: str | None = None
    skeleton: Skeleton | None = None


class Candidate(Record):
    """A folder that looks like a dataset: which format, and which files say so."""

    format: str
    files: list[str]


class Reader(Protocol):
    """An opened dataset; see the module's docstring for what its parts mean."""

    labels: list[ReadLabel]

    def images(self) -> Iterator[DatasetImage]:
        """Start a stream of the images with their annotations."""

    def picture_path(self, name: str) -> Path | None:
        """Return the picture's file inside the dataset's folder, or None when it is not there."""

    @property
    def notes(self) -> list[Note]:
        """What was left out or changed so far."""


class WriteOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options every format takes when it writes: none."""


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options every format takes when it reads.

    Attributes:
        file: The annotation or description file inside the folder, when it is not to be found
            by itself.
    """

    file: str | None = None


class Format:
    """The interface of the variants.

    Attributes:
        name: Name on the command line and in the API.
        title: Name for people.
        geometries: What comes back from the files as it went in, within 0.01 pixels.
        write_options, read_options: Structs of the options, decodable from JSON.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    geometries: ClassVar[frozenset[str]]
    write_options: ClassVar[type[WriteOptions]] = WriteOptions
    read_options: ClassVar[type[ReadOptions]] = ReadOptions

    def write(self, dataset: Dataset, sink: Sink, options: WriteOptions | None = None) -> list[Note]:
        """Write the dataset and return what the format could not hold.

        Raises:
            InvalidInput: An annotation names a label that the dataset does not have.
        """
        raise NotImplementedError

    def recognise(self, folder: str | Path) -> Candidate | None:
        """Look whether the folder (or file) is such a dataset, without decoding it."""
        raise NotImplementedError

    def read(
        self, folder: str | Path, options: ReadOptions | None = None, *, size_of: SizeOf | None = None
    ) -> Reader:
        """Open the dataset.

        Args:
            folder: Its folder, or one annotation file.
            options: How to read it.
            size_of: Asked for the size of a picture where the files do not tell it.

        Raises:
            UnreadableDataset: Not such a dataset, or broken; file and place are named.
        """
        raise NotImplementedError


T = TypeVar("T", bound=msgspec.Struct)


def chosen(options: Any, kind: type[T]) -> T:
    """Return the options as their struct: given as such, as a mapping, or None for the defaults.

    Raises:
        InvalidInput: A mapping with unknown or wrong fields.
    """
    if isinstance(options, kind):
        return options
    if options is not None and not isinstance(options, Mapping):
        raise InvalidInput(f"expected {kind.__name__}, got {type(options).__name__}", field="options")
    try:
        return msgspec.convert(options or {}, kind)
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error), field="options") from error


def kebab(name: str) -> str:
    """Return a geometry's name as it stands in a note's code."""
    return name.replace("_", "-")


@dataclass
class Tally:
    """Counts what could not be held: one note per code, with the first file as its example."""

    _notes: dict[str, tuple[str, str | None, int]] = field(default_factory=dict)

    def add(self, code: str, message: str, file: str | None = None, count: int = 1) -> None:
        """Count `count` more of `code`; message and file of the first one stand for all."""
        if count:
            message = message.encode(errors="replace").decode()
            file = file and file.encode(errors="replace").decode()
            first, where, before = self._notes.get(code, (message, file, 0))
            self._notes[code] = (first, where, before + count)

    def clear(self) -> None:
        self._notes.clear()

    def notes(self) -> list[Note]:
        """Return the notes, sorted by code."""
        return [
            Note(code=code, message=message, file=file, count=count)
            for code, (message, file, count) in sorted(self._notes.items())
        ]
