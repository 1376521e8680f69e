"""Find the elements of a huge JSON object's arrays without decoding or holding it.

``{"images": [{…}, {…}], "annotations": [{…}, …], …}``: one pass over the bytes in chunks finds
where each element starts and ends; elements are then read and decoded by whoever wants them, in
any order. Memory is 16 bytes per element plus a few chunks, whatever the file's size.

The scan looks at quotes, backslashes and brackets only. What lies between is checked at the top
level by `JsonFile` and inside the arrays when they are decoded, so broken JSON is always found.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from appliance.errors import UnreadableDataset
from appliance.formats._json_scan import BLANKS, Offsets, Scan

__all__ = ["Elements", "JsonFile", "Unfit"]

_SLAB_BYTES = 1 << 20
_ELEMENT_BYTES = 256 << 20

T = TypeVar("T")


class Unfit(msgspec.Struct, frozen=True):
    """An element that is JSON but not what was asked for, and why."""

    problem: str


class JsonFile:
    """The arrays of objects of a JSON file whose top level is an object.

    Args:
        path: The file; a byte-order mark is passed over.
        name: How messages call it.

    Attributes:
        arrays: The arrays by their key.

    Raises:
        UnreadableDataset: Not a JSON object, cut off, nested too deeply, or a key twice.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        with open(path, "rb") as file:
            scan = Scan(file.fileno(), self.broken)
            scan.run()
            self.arrays = self._arrays(scan)

    def _arrays(self, scan: Scan) -> dict[str, Elements]:
        found: dict[str, Elements] = {}
        for key, (begin, end) in scan.arrays():
            if key in found:
                raise self.broken(f"the key {key!r} is there twice", begin)
            low, high = np.searchsorted(scan.start, (begin, end))
            found[key] = Elements(self, key, (begin, end), scan.start[low:high], scan.end[low:high])
        return found

    def broken(self, problem: str, offset: int | None = None) -> UnreadableDataset:
        """Return the error that names this file and the place."""
        where = "" if offset is None else f" near byte {offset}"
        return UnreadableDataset(f"{self.name}{where}: {problem}", file=self.name)


class Elements:
    """Where the elements of one array are.

    Attributes:
        start, end: int64 byte offsets of shape (n,), ascending; ``end`` is exclusive.
    """

    def __init__(self, file: JsonFile, key: str, span: tuple[int, int], start: Offsets, end: Offsets) -> None:
        self.file = file
        self.key = key
        self.start = start
        self.end = end
        self._span = span

    def __len__(self) -> int:
        return len(self.start)

    def place(self, index: int) -> str:
        """Name one element for a message."""
        return f"{self.key}[{index}]"

    def read(self, descriptor: int, index: int) -> bytes:
        """Return the bytes of one element from the open file."""
        return self._between(descriptor, int(self.start[index]), int(self.end[index]))

    def read_list(self, descriptor: int, indices: Offsets) -> bytes:
        """Return the elements at `indices`, in that order, as one JSON array."""
        starts, sizes = self.start[indices], self.end[indices] - self.start[indices]
        total = int(sizes.sum())
        if total > _ELEMENT_BYTES:
            raise self.file.broken(f"the {self.key} of one image are over {_ELEMENT_BYTES >> 20} MB")
        read = os.pread
        texts = [read(descriptor, *place) for place in zip(sizes.tolist(), starts.tolist(), strict=True)]
        if sum(map(len, texts)) != total:
            raise self.file.broken("the file changed while it was read")
        return b"[%b]" % b",".join(texts)

    def one(self, descriptor: int, index: int, kind: type[T]) -> T | Unfit:
        """Decode one element, forgiving NaN, numbers in strings and whole floats for integers.

        Raises:
            UnreadableDataset: It is not even JSON.
        """
        raw = self.read(descriptor, index)
        try:
            value = json.loads(raw.decode())
            if b"\\u" in raw:  # half a surrogate pair is no text that could be stored
                value = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
        except (ValueError, RecursionError) as error:
            problem = f"{self.place(index)} is not JSON: {error}"
            raise self.file.broken(problem, int(self.start[index])) from error
        try:
            return msgspec.convert(value, kind, strict=False)
        except (msgspec.ValidationError, OverflowError) as error:
            return Unfit(str(error))

    def decode(self, descriptor: int, kind: type[T]) -> Iterator[tuple[int, list[T | Unfit]]]:
        """Decode all elements in batches: ``(index of the first, elements)``.

        Raises:
            UnreadableDataset: Broken JSON, or something other than objects between the commas.
        """
        decoder = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
        for first, last in self._slabs():
            self._check_gap(descriptor, first)
            data = self._between(descriptor, int(self.start[first]), int(self.end[last - 1]))
            try:
                batch: list[Any] = decoder.decode(b"[%b]" % data)
            except (ValueError, RecursionError):
                batch = []
            if len(batch) != last - first:
                batch = [self._carefully(descriptor, index, kind) for index in range(first, last)]
            yield first, batch
        self._check_gap(descriptor, len(self))

    def _carefully(self, descriptor: int, index: int, kind: type[T]) -> T | Unfit:
        self._check_gap(descriptor, index)
        return self.one(descriptor, index, kind)

    def _slabs(self) -> Iterator[tuple[int, int]]:
        first = 0
        while first < len(self):
            last = int(np.searchsorted(self.end, self.start[first] + _SLAB_BYTES, side="right"))
            last = max(last, first + 1)
            yield first, last
            first = last

    def _between(self, descriptor: int, start: int, end: int) -> bytes:
        if end - start > _ELEMENT_BYTES:
            raise self.file.broken(f"one element of {self.key} is over {_ELEMENT_BYTES >> 20} MB", start)
        data = os.pread(descriptor, end - start, start)
        if len(data) != end - start:
            raise self.file.broken("the file changed while it was read", start)
        return data

    def _check_gap(self, descriptor: int, index: int) -> None:
        """Check that blanks and one comma stand before the element (or after the last one)."""
        begin = int(self.end[index - 1]) if index else self._span[0] + 1
        end = int(self.start[index]) if index < len(self) else self._span[1]
        comma = b"," if 0 < index < len(self) else b""
        if self._between(descriptor, begin, end).strip(BLANKS) != comma:
            problem = f"expected only objects with commas between them in {self.key}, before {self.place(index)}"
            raise self.file.broken(problem, begin)
