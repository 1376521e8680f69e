"""Annotations as COCO writes them, their numbers rounded and measured some hundreds at a time."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from appliance.geometry import Geometry, convert
from appliance.geometry.box import Box
from appliance.geometry.keypoints import Keypoints
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon
from appliance.records import AttributeValue

__all__ = ["Batch", "Entry", "put_keypoints", "put_mask"]

_SCALE = 1000.0
"""Three decimals: half a thousandth of a pixel at most is lost."""


class Entry(msgspec.Struct, omit_defaults=True):
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


class Batch:
    """Annotations of some images: coordinates go through numpy together, then all are encoded at once."""

    def __init__(self) -> None:
        self.next_id = 1
        self._encode = msgspec.json.Encoder().encode
        self._clear()

    def _clear(self) -> None:
        self.entries: list[Entry] = []
        self._boxed: list[Entry] = []
        self._edges: list[float] = []
        self._outlined: list[tuple[Entry, int]] = []
        self._rings: list[list[float]] = []
        self.numbers = 0

    def box(self, entry: Entry, box: Box) -> None:
        self._boxed.append(entry)
        self._edges += (box.x1, box.y1, box.x2, box.y2)
        self.numbers += 20

    def polygon(self, entry: Entry, polygon: Polygon) -> None:
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


def put_mask(entry: Entry, mask: Mask) -> None:
    entry.bbox = _bbox_xywh(mask)
    entry.area = mask.area()
    entry.segmentation = {"size": mask.size, "counts": mask.counts}


def put_keypoints(entry: Entry, shape: Keypoints) -> None:
    entry.bbox = _bbox_xywh(shape)
    entry.area = entry.bbox[2] * entry.bbox[3]
    points = np.array(shape.triples())
    points[points[:, 2] == 0] = 0.0  # absent: COCO wants zeros
    entry.keypoints = _rounded(points).ravel().tolist()
    entry.num_keypoints = int((points[:, 2] > 0).sum())
