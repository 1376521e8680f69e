"""Find the elements of a huge JSON object's arrays without decoding or holding it.

``{"images": [{…}, {…}], "annotations": [{…}, …], …}``: one pass over the bytes in chunks finds
where each element starts and ends; elements are then read and decoded by whoever wants them, in
any order. Memory is 16 bytes per element plus a few chunks, whatever the file's size.

The scan looks at quotes, backslashes and brackets only. What lies between is checked at the top
level by `JsonFile` and inside the arrays when they are decoded, so broken JSON is always found.
"""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from appliance.errors import UnreadableDataset

__all__ = ["Elements", "JsonFile", "Unfit"]

_CHUNK_BYTES = 4 << 20
_SLAB_BYTES = 1 << 20
_ELEMENT_BYTES = 256 << 20
_MAX_DEPTH = 64
_MAX_VALUES = 1000
_TOP_LEVEL_BYTES = 1 << 20
_QUOTE, _BACKSLASH = ord('"'), ord("\\")
_STEP = np.zeros(256, dtype=np.int8)
_STEP[[ord("["), ord("{")]] = 1
_STEP[[ord("]"), ord("}")]] = -1
_BLANKS = b" \t\r\n"

T = TypeVar("T")
Offsets = NDArray[np.int64]


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
            scan = _Scan(self, file.fileno())
            scan.run()
            self.arrays = scan.arrays()

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
        if self._between(descriptor, begin, end).strip(_BLANKS) != comma:
            problem = f"expected only objects with commas between them in {self.key}, before {self.place(index)}"
            raise self.file.broken(problem, begin)


class _Scan:
    """One pass over the file: where top-level containers and the containers inside those are."""

    def __init__(self, file: JsonFile, descriptor: int) -> None:
        self._file = file
        self._descriptor = descriptor
        self._depth = 0
        self._in_string = False
        self._backslashes = 0
        self._starts: list[Offsets] = []
        self._ends: list[Offsets] = []
        self._spans: list[list[int]] = []
        self._root: list[int] = []
        self._size = 0

    def run(self) -> None:
        offset = self._begin()
        while chunk := os.pread(self._descriptor, _CHUNK_BYTES, offset):
            self._feed(np.frombuffer(chunk, dtype=np.uint8), offset)
            offset += len(chunk)
        self._size = offset
        if self._depth or self._in_string or not self._root:
            raise self._file.broken("the file ends in the middle: it is cut off", offset)

    def _begin(self) -> int:
        head = os.pread(self._descriptor, 4096, 0)
        start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
        first = head[start:].lstrip(_BLANKS)[:1]
        if first == b"[":
            problem = "the top level is a list, as in a file of results; a COCO dataset is an object"
            raise self._file.broken(problem, start)
        if first != b"{":
            raise self._file.broken("not JSON: it should start with an object", start)
        return start

    def _feed(self, chunk: NDArray[np.uint8], offset: int) -> None:
        # Brackets, braces and the backslash are above 'Z'; lower-case letters come along and are rare.
        at = np.flatnonzero((chunk > ord("Z")) | (chunk == _QUOTE))
        what = chunk[at]
        quote = what == _QUOTE
        if self._backslashes or (what == _BACKSLASH).any():
            quote[quote] = ~self._escaped(at[what == _BACKSLASH], at[quote], len(chunk))
        step = _STEP[what]
        wanted = quote | (step != 0)
        at, what, quote, step = at[wanted], what[wanted], quote[wanted], step[wanted]
        parity = np.logical_xor.accumulate(np.concatenate(([self._in_string], quote)))
        self._in_string = bool(parity[-1])
        outside = ~quote & ~parity[1:]
        self._nest(at[outside] + offset, step[outside])

    def _escaped(self, slashes: Offsets, quotes: Offsets, length: int) -> NDArray[np.bool_]:
        """Say for each quote whether an odd number of backslashes stands right before it."""
        carried, self._backslashes = self._backslashes, 0
        if not len(slashes):
            return (quotes == 0) & (carried % 2 == 1)
        order = np.arange(len(slashes))
        begins = np.concatenate(([True], np.diff(slashes) != 1))
        begin = np.maximum.accumulate(np.where(begins, order, 0))
        run = order - begin + 1 + np.where(slashes[begin] == 0, carried, 0)
        if slashes[-1] == length - 1:
            self._backslashes = int(run[-1])
        before = np.minimum(np.searchsorted(slashes, quotes - 1), len(slashes) - 1)
        escaped = (slashes[before] == quotes - 1) & (run[before] % 2 == 1)
        return escaped | ((quotes == 0) & (carried % 2 == 1))

    def _nest(self, at: Offsets, step: NDArray[np.int8]) -> None:
        if not len(at):
            return
        depth = np.cumsum(step, dtype=np.int64) + self._depth
        if depth.min() < 0 or depth.max() > _MAX_DEPTH:
            bad = int(at[np.argmax((depth < 0) | (depth > _MAX_DEPTH))])
            problem = "a bracket closes nothing" if depth.min() < 0 else f"nested over {_MAX_DEPTH} levels deep"
            raise self._file.broken(problem, bad)
        self._depth = int(depth[-1])
        opens = step > 0
        self._starts.append(at[opens & (depth == 3)])
        self._ends.append(at[~opens & (depth == 2)] + 1)
        for index in np.flatnonzero((depth - opens) <= 1):
            self._outline(int(at[index]), int(depth[index]), bool(opens[index]))

    def _outline(self, at: int, depth: int, opens: bool) -> None:
        """Take down a bracket of the root (depth 1 after opening, 0 after closing) or of a value in it."""
        if depth - opens == 0:
            self._root.append(at)
        elif opens:
            self._spans.append([at])
        else:
            self._spans[-1].append(at)
        if len(self._spans) > _MAX_VALUES or len(self._root) > 2:
            raise self._file.broken("too many values at the top level", at)

    def arrays(self) -> dict[str, Elements]:
        """Check the top level's syntax and return its arrays by key."""
        starts = np.concatenate([*self._starts, np.zeros(0, np.int64)])
        ends = np.concatenate([*self._ends, np.zeros(0, np.int64)])
        found: dict[str, Elements] = {}
        for key, (begin, end) in self._keys():
            if key in found:
                raise self._file.broken(f"the key {key!r} is there twice", begin)
            low, high = np.searchsorted(starts, (begin, end))
            found[key] = Elements(self._file, key, (begin, end), starts[low:high], ends[low:high])
        return found

    def _keys(self) -> list[tuple[str, list[int]]]:
        """Decode the top level with its containers emptied; return keys and spans of the arrays."""
        begins = [self._root[0], *(span[1] for span in self._spans)]
        ends = [*(span[0] + 1 for span in self._spans), self._size]
        if sum(ends) - sum(begins) > _TOP_LEVEL_BYTES:
            raise self._file.broken("too much text between the lists of the top level")
        pieces = zip(begins, ends, strict=True)
        text = b"".join(os.pread(self._descriptor, end - begin, begin) for begin, end in pieces)
        try:
            pairs = json.loads(text.decode(), object_pairs_hook=list)
        except (ValueError, RecursionError) as error:
            raise self._file.broken(f"not JSON at the top level: {error}") from error
        spans = iter(self._spans)
        return [(key, next(spans)) for key, value in pairs if isinstance(value, list)]
