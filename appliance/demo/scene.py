"""Inspection pictures of trays of fasteners, with exact ground truth.

The same seed gives the same bytes for the same versions of numpy and OpenCV on the same kind of
processor. All randomness comes from one PCG64 generator per picture.

Ground truth is what can be seen: an object's box is the tight box of its visible pixels inside
the picture, its polygons outline the same pixels, and an object of which less than a quarter is
visible (covered by others or out of the picture) is not an object. A spring counts as the whole
of its coils with the gaps between them; the bores of nuts and washers are holes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from appliance.demo._camera import encode, expose
from appliance.demo._light import Finish, Lamp, draw_finish, draw_lamp, shade, shadow
from appliance.demo._parts import SHAPES, Floats, Part
from appliance.demo._tray import tray

__all__ = [
    "SIZE", "Box", "Picture", "Scene", "SceneObject",
    "picture_name", "pictures", "render", "truth", "write_pictures",
]  # fmt: skip

Box = tuple[float, float, float, float]

SIZE = (960, 640)
MIN_VISIBLE = 0.25
_QUALITY = 88
# Owners of a pixel that are no part.
_TRAY, _RIM = -1, -2


@dataclass(frozen=True)
class SceneObject:
    """One visible part.

    Attributes:
        label: Its kind.
        box: x1, y1, x2, y2 of its visible pixels in canonical pixels.
        rings: Its visible outline as a polygon's parts: for each part the outer ring, then its
            holes; a ring is a flat list x1, y1, x2, y2, …
        visible: Share of the whole part that is visible, 0.25..1.
    """

    label: str
    box: Box
    rings: list[list[list[float]]]
    visible: float


@dataclass(frozen=True)
class Scene:
    """A picture, uint8 (height, width, 3) in blue, green, red, and what is on it."""

    pixels: NDArray[np.uint8]
    objects: list[SceneObject]


@dataclass(frozen=True)
class Picture:
    """A picture as a file: its name, its JPEG bytes, and what is on it."""

    name: str
    data: bytes
    objects: list[SceneObject]


@dataclass(frozen=True)
class _Placed:
    """A part in the picture: its alpha, colour and mask lie at `corner` (x, y), partly outside perhaps."""

    part: Part
    corner: tuple[int, int]
    cover: Floats
    colour: Floats
    solid: NDArray[np.bool_]


def picture_name(seed: int) -> str:
    """Return the file name of a seed's picture."""
    return f"tray-{seed:06d}.jpg"


def render(seed: int, size: tuple[int, int] = SIZE) -> Scene:
    """Draw the picture of a seed.

    Args:
        seed: Any non-negative integer.
        size: Width and height in pixels.
    """
    rng = Generator(PCG64(seed))
    width, height = size
    canvas, rim = tray(rng, width, height)
    lamp = draw_lamp(rng)
    owner = np.where(rim, _RIM, _TRAY).astype(np.int16)
    placed = _lay_out(rng, canvas, owner, lamp)
    pixels = expose(rng, canvas)
    found = [_seen(index, item, owner) for index, item in enumerate(placed)]
    return Scene(pixels, [item for item in found if item is not None])


def pictures(seeds: Iterable[int]) -> Iterator[Picture]:
    """Draw the picture of each seed, one when it is asked for, with its truth."""
    for seed in seeds:
        scene = render(seed)
        yield Picture(picture_name(seed), encode(scene.pixels, _QUALITY), scene.objects)


def write_pictures(folder: Path, seeds: Iterable[int]) -> list[Path]:
    """Write the picture of each seed into `folder` and return the paths."""
    paths = []
    for picture in pictures(seeds):
        paths.append(folder / picture.name)
        paths[-1].write_bytes(picture.data)
    return paths


def truth(seeds: Iterable[int]) -> dict[str, list[SceneObject]]:
    """Return what is on the picture of each seed, by file name."""
    return {picture_name(seed): render(seed).objects for seed in seeds}


def _lay_out(rng: Generator, canvas: Floats, owner: NDArray[np.int16], lamp: Lamp) -> list[_Placed]:
    """Lay parts on the tray one after another; most lie free, some on top of others."""
    names = sorted(SHAPES)
    zoom = rng.uniform(1.05, 1.55)
    placed: list[_Placed] = []
    for _ in range(int(rng.integers(8, 21))):
        part = SHAPES[names[int(rng.integers(len(names)))]](rng, zoom)
        sprite = _sprite(rng, part, draw_finish(rng), lamp)
        crowding = 0.3 if rng.random() < 0.22 else 0.0
        corner = _free_place(rng, sprite[2], owner, crowding)
        if corner is not None:
            placed.append(_Placed(part, corner, *sprite))
            _put(placed[-1], len(placed) - 1, canvas, owner, lamp)
    return placed


def _sprite(rng: Generator, part: Part, finish: Finish, lamp: Lamp) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Draw a part turned by a random angle: alpha, colour and the solid mask of the ground truth."""
    angle = rng.uniform(0, 2 * math.pi)
    cos, sin = math.cos(angle), math.sin(angle)
    half_w = math.ceil(abs(cos) * part.reach[0] + abs(sin) * part.reach[1]) + 1
    half_h = math.ceil(abs(sin) * part.reach[0] + abs(cos) * part.reach[1]) + 1
    x = np.arange(-half_w, half_w + 1, dtype=np.float32)
    y = np.arange(-half_h, half_h + 1, dtype=np.float32)[:, None]
    u, v = x * np.float32(cos) + y * np.float32(sin), y * np.float32(cos) - x * np.float32(sin)
    distance, height = part.field(u, v)
    cover = np.clip(0.5 - distance, 0, 1).astype(np.float32)
    solid = cover >= 0.5
    if part.label == "spring":
        hull = np.zeros(cover.shape, np.uint8)
        cv2.fillConvexPoly(hull, cv2.convexHull(cv2.findNonZero(solid.astype(np.uint8))), 1)
        solid = hull.astype(bool)
    return cover, shade(rng, part, finish, lamp, height.astype(np.float32), (u, v), cover > 0), solid


def _windows(corner: tuple[int, int], shape: tuple[int, ...], field: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the rows and columns of the picture, then of the sprite, where the two overlap."""
    slices = []
    for start, extent, limit in zip(corner[::-1], shape[:2], field[:2], strict=True):
        low, high = max(start, 0), max(min(start + extent, limit), max(start, 0))
        slices += [slice(low, high), slice(low - start, high - start)]
    return slices[0], slices[2], slices[1], slices[3]


def _free_place(
    rng: Generator, solid: NDArray[np.bool_], owner: NDArray[np.int16], crowding: float
) -> tuple[int, int] | None:
    """Find a corner where at most `crowding` of the part covers others and 40 % of it is in the picture."""
    rows, columns = owner.shape
    area = int(solid.sum())
    for _ in range(14):
        centre = rng.integers((-10, -10), (columns + 10, rows + 10))
        corner = int(centre[0]) - solid.shape[1] // 2, int(centre[1]) - solid.shape[0] // 2
        top, left, sprite_rows, sprite_columns = _windows(corner, solid.shape, owner.shape)
        inside = solid[sprite_rows, sprite_columns]
        below = owner[top, left][inside]
        if len(below) >= 0.4 * area and (below >= 0).sum() <= crowding * area and not (below == _RIM).any():
            return corner
    return None


def _put(item: _Placed, index: int, canvas: Floats, owner: NDArray[np.int16], lamp: Lamp) -> None:
    """Throw the part's shadow on what lies below, then paint it and claim its pixels."""
    light, margin = shadow(item.cover, item.part.thickness, lamp)
    outer = item.corner[0] - margin, item.corner[1] - margin
    rows, columns, own_rows, own_columns = _windows(outer, light.shape, owner.shape)
    canvas[rows, columns] *= light[own_rows, own_columns, None]
    rows, columns, own_rows, own_columns = _windows(item.corner, item.cover.shape, owner.shape)
    below, alpha = canvas[rows, columns], item.cover[own_rows, own_columns, None]
    below += (item.colour[own_rows, own_columns] - below) * alpha
    owner[rows, columns][item.solid[own_rows, own_columns]] = index


def _seen(index: int, item: _Placed, owner: NDArray[np.int16]) -> SceneObject | None:
    """Measure what is visible of a part; None when it is less than a quarter."""
    rows, columns, _, _ = _windows(item.corner, item.cover.shape, owner.shape)
    mask = (owner[rows, columns] == index).astype(np.uint8)
    visible = float(mask.sum()) / float(item.solid.sum())
    if visible < MIN_VISIBLE:
        return None
    rings = _outline(mask, columns.start, rows.start)
    if not rings:
        return None
    # The outer rings run a quarter of a pixel inside the edge.
    edges = np.concatenate([part[0] for part in rings]).reshape(-1, 2)
    low, high = edges.min(axis=0) - 0.25, edges.max(axis=0) + 0.25
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return SceneObject(item.part.label, box, rings, visible)


def _outline(mask: NDArray[np.uint8], x: int, y: int) -> list[list[list[float]]]:
    """Trace the polygons of a mask whose corner lies at x, y; specks under 12 pixels are left out."""
    # At twice the size the traced pixel centres lie only a quarter of a pixel inside the edge.
    double = cv2.resize(mask, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    contours, tree = cv2.findContours(double, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    parts: dict[int, list[list[float]]] = {}
    links = tree.reshape(-1, 4)
    for number in sorted(range(len(contours)), key=lambda n: int(links[n, 3] >= 0)):
        parent = int(links[number, 3])
        if cv2.contourArea(contours[number]) < 48 or (parent >= 0 and parent not in parts):
            continue
        ring = cv2.approxPolyDP(contours[number], 1.2, True).reshape(-1, 2)
        if len(ring) >= 3:
            flat = ((ring + 0.5) / 2 + (x, y)).ravel().tolist()
            parts.setdefault(number if parent < 0 else parent, []).append(flat)
    return list(parts.values())
