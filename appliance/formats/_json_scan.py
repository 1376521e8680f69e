"""The one pass over a huge JSON file that finds where things are; see `_json`."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from appliance.errors import UnreadableDataset

__all__ = ["BLANKS", "Offsets", "Scan"]

Offsets = NDArray[np.int64]

BLANKS = b" \t\r\n"
_CHUNK_BYTES = 4 << 20
_MAX_DEPTH = 64
_MAX_VALUES = 1000
_TOP_LEVEL_BYTES = 1 << 20
_QUOTE, _BACKSLASH = ord('"'), ord("\\")
_STEP = np.zeros(256, dtype=np.int8)
_STEP[[ord("["), ord("{")]] = 1
_STEP[[ord("]"), ord("}")]] = -1


class Scan:
    """One pass over the file: where top-level containers and the containers inside those are.

    Args:
        descriptor: The open file.
        broken: Makes the error for a problem near a byte.

    Attributes:
        start, end: int64 byte offsets of the containers inside the top level's, ascending; ``end``
            is exclusive. Complete after `run`.
    """

    def __init__(self, descriptor: int, broken: Callable[[str, int | None], UnreadableDataset]) -> None:
        self._broken = broken
        self._descriptor = descriptor
        self._depth = 0
        self._in_string = False
        self._backslashes = 0
        self._starts: list[Offsets] = []
        self._ends: list[Offsets] = []
        self._spans: list[list[int]] = []
        self._root: list[int] = []
        self._size = 0
        self.start = self.end = np.zeros(0, dtype=np.int64)

    def run(self) -> None:
        """Go over the whole file.

        Raises:
            UnreadableDataset: Not a JSON object, cut off, nested too deeply, or with too many values.
        """
        offset = self._begin()
        while chunk := os.pread(self._descriptor, _CHUNK_BYTES, offset):
            self._feed(np.frombuffer(chunk, dtype=np.uint8), offset)
            offset += len(chunk)
        self._size = offset
        if self._depth or self._in_string or not self._root:
            raise self._broken("the file ends in the middle: it is cut off", offset)
        self.start = np.concatenate([*self._starts, self.start])
        self.end = np.concatenate([*self._ends, self.end])

    def _begin(self) -> int:
        head = os.pread(self._descriptor, 4096, 0)
        start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
        first = head[start:].lstrip(BLANKS)[:1]
        if first == b"[":
            problem = "the top level is a list, as in a file of results; a COCO dataset is an object"
            raise self._broken(problem, start)
        if first != b"{":
            raise self._broken("not JSON: it should start with an object", start)
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
            raise self._broken(problem, bad)
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
            raise self._broken("too many values at the top level", at)

    def arrays(self) -> list[tuple[str, list[int]]]:
        """Decode the top level with its containers emptied; return keys and spans ``[start, last]`` of its arrays.

        Raises:
            UnreadableDataset: The top level is not JSON, or too long.
        """
        begins = [self._root[0], *(span[1] for span in self._spans)]
        ends = [*(span[0] + 1 for span in self._spans), self._size]
        if sum(ends) - sum(begins) > _TOP_LEVEL_BYTES:
            raise self._broken("too much text between the lists of the top level", None)
        pieces = zip(begins, ends, strict=True)
        text = b"".join(os.pread(self._descriptor, end - begin, begin) for begin, end in pieces)
        try:
            pairs = json.loads(text.decode(), object_pairs_hook=list)
        except (ValueError, RecursionError) as error:
            raise self._broken(f"not JSON at the top level: {error}", None) from error
        spans = iter(self._spans)
        return [(key, next(spans)) for key, value in pairs if isinstance(value, list)]
