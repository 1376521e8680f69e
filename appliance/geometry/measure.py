"""How much shapes have in common, and where polygons cross themselves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from appliance.errors import InvalidGeometry
from appliance.geometry import convert, raster, rle
from appliance.geometry._base import Bounds, Shape
from appliance.geometry._numpy import np
from appliance.geometry.box import Box
from appliance.geometry.keypoints import Keypoints
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon
from appliance.geometry.polyline import Polyline
from appliance.geometry.tag import Tag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["box_iou", "iou", "overlap_area", "self_crossings"]

_EXACT_EDGES = 600
_EXACT_CELLS = 1 << 22
"""Up to so many edges together, and edges times slabs, an overlap is computed exactly; beyond, on a grid."""

_GRID = 2048


def box_iou(a: Floats, b: Floats) -> Floats:
    """Return intersection over union of all pairs of boxes.

    Args:
        a: Float array (n, 4), xyxy in any one frame.
        b: Float array (m, 4), likewise.

    Returns:
        Float64 array (n, m) in 0…1; 0 where both boxes are empty.
    """
    a, b = np.asarray(a, dtype=np.float64).reshape(-1, 4), np.asarray(b, dtype=np.float64).reshape(-1, 4)
    # Column by column: four times as fast as pairs of coordinates on a third axis.
    shared = _pair_overlap(a, b, 0) * _pair_overlap(a, b, 1)
    areas_a, areas_b = (a[:, 2:] - a[:, :2]).prod(axis=1), (b[:, 2:] - b[:, :2]).prod(axis=1)
    together = areas_a[:, None] + areas_b[None, :] - shared
    return np.asarray(np.divide(shared, together, out=np.zeros_like(shared), where=together > 0))


def _pair_overlap(a: Floats, b: Floats, axis: int) -> Floats:
    shared = np.minimum(a[:, None, axis + 2], b[None, :, axis + 2])
    shared -= np.maximum(a[:, None, axis], b[None, :, axis])
    return np.maximum(shared, 0, out=shared)


def iou(a: Shape, b: Shape) -> float:
    """Return intersection over union of any two shapes, in 0…1.

    Boxes, rotated boxes and polygons are compared exactly up to 600 edges together, beyond
    that on a grid (`overlap_area` states the error). A mask is compared pixel by pixel with
    what the other covers of its image. Polylines and keypoints have no area: they count as
    the box around them. Two tags are the same, a tag and something else have nothing in common.

    Raises:
        InvalidGeometry: Two masks of different sizes.
    """
    if isinstance(a, Tag) or isinstance(b, Tag):
        return float(isinstance(a, Tag) and isinstance(b, Tag))
    a, b = _with_area(a), _with_area(b)
    if isinstance(a, Box) and isinstance(b, Box):
        shared = _box_overlap(a.bounds(), b.bounds())
        return _ratio(shared, a.area() + b.area() - shared)
    if isinstance(a, Mask) or isinstance(b, Mask):
        return _mask_iou(a, b)
    if not _box_overlap(a.bounds(), b.bounds()):
        return 0.0
    p, q = convert.to_polygon(a), convert.to_polygon(b)
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a.bounds(), b.bounds()
    around = min(ax1, bx1), min(ay1, by1), max(ax2, bx2), max(ay2, by2)
    shared, area_a, area_b = _filled_areas(p, q, around)
    return _ratio(shared, area_a + area_b - shared)


def _with_area(shape: Shape) -> Shape:
    return Box(*shape.bounds()) if isinstance(shape, Polyline | Keypoints) else shape


def _ratio(shared: float, together: float) -> float:
    return min(max(shared / together, 0.0), 1.0) if together > 0 else 0.0


def _box_overlap(a: Bounds, b: Bounds) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0


def _mask_iou(a: Shape, b: Shape) -> float:
    if isinstance(a, Mask) and isinstance(b, Mask) and a.size != b.size:
        raise InvalidGeometry(f"masks of sizes {a.size} and {b.size} cannot be compared", field="geometry")
    height, width = a.size if isinstance(a, Mask) else b.size if isinstance(b, Mask) else [0, 0]
    runs = [rle.parse(convert.to_mask(shape, width, height).counts, height, width) for shape in (a, b)]
    return rle.iou(runs[0], runs[1])


def overlap_area(a: Polygon, b: Polygon) -> float:
    """Return the area inside both polygons, in square pixels.

    The plane is cut into upright slabs at every vertex and crossing; inside a slab the length
    of a vertical line within both shapes is linear in x, so its value in the middle times the
    slab's width is exact but for rounding. With over 600 edges together, or so many crossings
    that edges times slabs pass 4 million, both are rasterised on 2,048 × 2,048 cells over the
    box they share; the error is then at most the length of the outlines times a cell's diagonal.
    """
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a.bounds(), b.bounds()
    shared = max(ax1, bx1), max(ay1, by1), min(ax2, bx2), min(ay2, by2)
    if not (shared[0] < shared[2] and shared[1] < shared[3]):
        return 0.0
    return _filled_areas(a, b, shared)[0]


def _filled_areas(a: Polygon, b: Polygon, box: Bounds) -> tuple[float, float, float]:
    """Return the areas inside both, inside `a` and inside `b`, of what lies between the box's sides."""
    if sum(len(ring) for p in (a, b) for part in p.parts for ring in part) // 2 > _EXACT_EDGES:
        return _areas_on_grid(a, b, box)
    parts = [raster.edges_of(part) for part in (*a.parts, *b.parts)]
    edges = np.concatenate(parts)
    part_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    cuts = np.concatenate((edges[:, 0], edges[:, 2], _crossing_points(edges, edges)[:, 0], box[::2]))
    cuts = np.unique(np.clip(cuts, box[0], box[2]))
    if len(cuts) * len(edges) > _EXACT_CELLS:
        return _areas_on_grid(a, b, box)
    middles, widths = (cuts[1:] + cuts[:-1]) / 2, np.diff(cuts)
    return _slab_areas(edges, part_of, len(a.parts), middles, widths)


def _slab_areas(
    edges: Floats, part_of: NDArray[np.int64], split: int, middles: Floats, widths: Floats
) -> tuple[float, float, float]:
    """Add up what the lines at `middles` run inside both, inside parts below `split`, and from it on."""
    slab, edge = np.nonzero((edges[None, :, 0] <= middles[:, None]) & (middles[:, None] < edges[None, :, 2]))
    y = raster.heights_at(edges[edge], middles[slab])
    # Within a slab and part the crossings alternate between entering and leaving.
    order = np.lexsort((y, part_of[edge], slab))
    slab, y, part = slab[order], y[order], part_of[edge][order]
    step = np.where(np.arange(len(y)) % 2 == 0, 1, -1)
    order = np.lexsort((y, slab))
    slab, y, part, step = slab[order], y[order], part[order], step[order]
    inside_a = np.cumsum(np.where(part < split, step, 0)) > 0
    inside_b = np.cumsum(np.where(part >= split, step, 0)) > 0
    strips = np.diff(y, append=0.0) * widths[slab]
    return (
        float(strips[inside_a & inside_b].sum()),
        float(strips[inside_a].sum()),
        float(strips[inside_b].sum()),
    )


def _areas_on_grid(a: Polygon, b: Polygon, box: Bounds) -> tuple[float, float, float]:
    x1, y1, x2, y2 = box
    scale_x, scale_y = _GRID / (x2 - x1), _GRID / (y2 - y1)
    grids = [p.transformed(scale_x, scale_y, -x1 * scale_x, -y1 * scale_y) for p in (a, b)]
    runs_a, runs_b = (raster.rasterize(grid.parts, _GRID, _GRID) for grid in grids)
    cell = 1 / (scale_x * scale_y)
    return rle.overlap(runs_a, runs_b) * cell, rle.area(runs_a) * cell, rle.area(runs_b) * cell


def self_crossings(polygon: Polygon, limit: int = 100) -> list[tuple[float, float]]:
    """Return points where edges of one part cross each other; touching is not crossing.

    Args:
        polygon: Any polygon, checked.
        limit: Stop after so many points.
    """
    found: list[tuple[float, float]] = []
    for part in polygon.parts:
        for points in _crossings_of(_all_edges(part)):
            found += [(float(x), float(y)) for x, y in points]
            if len(found) >= limit:
                return found[:limit]
    return found


def _all_edges(part: list[list[float]]) -> Floats:
    steps = [list(pairwise([*zip(r[::2], r[1::2], strict=True), (r[0], r[1])])) for r in part]
    return np.array([[*p, *q] for ring in steps for p, q in ring], dtype=np.float64)


def _crossings_of(edges: Floats) -> Iterator[Floats]:
    """Yield crossings of edges with later ones, sorted by where they begin, a block at a time."""
    left, right = np.minimum(edges[:, 0], edges[:, 2]), np.maximum(edges[:, 0], edges[:, 2])
    order = np.argsort(left)
    edges, left, right = edges[order], left[order], right[order]
    for start in range(0, len(edges), 256):
        block = edges[start : start + 256]
        stop = int(np.searchsorted(left, right[start : start + 256].max(), side="right"))
        for other in range(start, stop, 4096):
            yield _crossing_points(block, edges[other : min(other + 4096, stop)], start - other)


def _crossing_points(a: Floats, b: Floats, offset: int = 0) -> Floats:
    """Return the points (k, 2) where edges of `a` properly cross edges of `b`, each pair once.

    Edge i of `a` is taken to be edge ``i + offset`` of `b`, where there is one.
    """
    d, e = (a[:, 2:] - a[:, :2])[:, None], (b[:, 2:] - b[:, :2])[None]
    gap = b[None, :, :2] - a[:, None, :2]
    across = d[..., 0] * e[..., 1] - d[..., 1] * e[..., 0]
    later = np.arange(len(b))[None] > np.arange(len(a))[:, None] + offset
    i, j = np.nonzero((across != 0) & later)
    gx, gy, cross = gap[i, j, 0], gap[i, j, 1], across[i, j]
    t = (gx * e[0, j, 1] - gy * e[0, j, 0]) / cross
    u = (gx * d[i, 0, 1] - gy * d[i, 0, 0]) / cross
    proper = (t > 0) & (t < 1) & (u > 0) & (u < 1)
    return np.asarray(a[i[proper], :2] + t[proper, None] * d[i[proper], 0])
