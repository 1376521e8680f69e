"""The shapes of the parts: signed distance of the outline and height above the tray.

A part is drawn in its own frame, ``u`` along its axis and ``v`` across, in pixels. Both arrays
a shape returns are float32 of the frame's shape: `distance` is negative inside the outline,
`height` is meaningful inside it and continues smoothly a little beyond, so that normals taken
from it hold at the edge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["SHAPES", "Floats", "Part", "smoothstep"]

Floats = NDArray[np.float32]
Field = Callable[[Floats, Floats], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Part:
    """A part before it is placed.

    Attributes:
        label: Which of the kinds it is.
        reach: Half extents of its frame in pixels, along and across.
        thickness: Height that casts the shadow, in pixels.
        turned: Whether its flat face shows concentric lathe marks.
        field: ``(u, v) → (distance, height)``.
    """

    label: str
    reach: tuple[float, float]
    thickness: float
    turned: bool
    field: Field


def smoothstep(low: float, high: float, x: Floats) -> Floats:
    """Return 0 below `low`, 1 above `high` and a smooth ramp between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _round(radius: Floats | float, v: Floats) -> Floats:
    """Return the height of a cylinder lying along ``u``."""
    return np.sqrt(np.maximum(np.square(radius) - v * v, 0.3))


def _ridges(u: Floats, v: Floats, radius: float, pitch: float) -> Floats:
    """Return the thread's profile, 0 in the groove to 1 on the crest, slanted by its helix."""
    phase = u / pitch + 0.25 * v / radius
    return 1 - np.abs(2 * (phase - np.floor(phase)) - 1)


def _hexagon(u: Floats, v: Floats) -> Floats:
    """Return the distance to the nearest of three pairs of flats, seen from the centre."""
    slant = np.float32(0.8660254)
    return np.maximum(np.abs(v), np.maximum(np.abs(slant * u + 0.5 * v), np.abs(slant * u - 0.5 * v)))


def bolt(rng: Generator, scale: float) -> Part:
    """Draw a hexagon-head bolt on its side; part of the shank may be plain."""
    r = scale * rng.uniform(11.0, 15.5)
    length, head = r * rng.uniform(5.0, 9.5), r * rng.uniform(1.15, 1.4)
    wide, pitch = r * rng.uniform(1.7, 1.95), r * rng.uniform(0.36, 0.5)
    plain, flats_up = length * max(rng.uniform(-0.4, 0.55), 0.0), rng.random() < 0.5
    left = -(length + head) / 2

    def field(u: Floats, v: Floats) -> tuple[Floats, Floats]:
        along = u - left
        worn = smoothstep(head + plain, head + plain + pitch, along) * _ridges(along, v, r, pitch)
        tip = np.clip(along - (head + length - 0.35 * r), 0, None)
        radius = r * 0.93 + r * 0.09 * worn - tip * 0.7
        crown = np.clip(0.3 * head - along, 0, None)
        half = wide - crown * 0.45 - np.clip(np.abs(v) - 0.6 * wide, 0, None) * smoothstep(3, 0, along)
        shank = np.maximum(np.abs(v) - radius, np.maximum(head - 1 - along, along - head - length))
        cap = np.maximum(np.abs(v) - half, np.maximum(-along, along - head))
        if flats_up:
            facets = wide * 0.87 - np.clip(np.abs(v) - wide * 0.5, 0, None) * 1.6
        else:
            facets = wide - np.abs(v) * 0.58
        top = np.maximum(facets - crown * 0.8, 1.0)
        return np.minimum(shank, cap), np.where(along < head, top, _round(radius, v) + (wide - r) * 0.5)

    return Part("bolt", (-left + 2, wide + 2), wide * 1.5, False, field)


def screw(rng: Generator, scale: float) -> Part:
    """Draw a wood or sheet-metal screw on its side: countersunk or pan head, coarse thread, a point."""
    r = scale * rng.uniform(7.0, 10.5)
    length, head = r * rng.uniform(7.0, 12.5), r * rng.uniform(1.1, 1.5)
    wide, pitch = r * rng.uniform(1.9, 2.25), r * rng.uniform(0.75, 1.05)
    point, domed = r * rng.uniform(2.0, 3.2), rng.random() < 0.5
    left = -(length + head) / 2

    def field(u: Floats, v: Floats) -> tuple[Floats, Floats]:
        along = u - left
        taper = np.clip((head + length - along) / point, 0.02, 1)
        ridge = _ridges(along, v, r, pitch) ** 2 * smoothstep(head + r, head + 2 * r, along)
        radius = r * (0.72 + 0.36 * ridge) * taper
        rise = np.clip(along / head, 0, 1)
        half = wide * np.sqrt(np.clip(rise * (2 - rise), 0, 1)) if domed else wide + (r - wide) * rise
        shank = np.maximum(np.abs(v) - radius, np.maximum(head - 1 - along, along - head - length))
        cap = np.maximum(np.abs(v) - half, np.maximum(-along, along - head))
        height = np.where(along < head, _round(half, v), _round(radius, v) + (wide - r) * 0.4)
        return np.minimum(shank, cap), height

    return Part("screw", (-left + 2, wide + 2), wide * 1.3, False, field)


def nut(rng: Generator, scale: float) -> Part:
    """Draw a hexagon nut lying flat, its edge chamfered, its bore countersunk."""
    r = scale * rng.uniform(25.0, 39.0)
    bore, thick = r * rng.uniform(0.5, 0.6), r * rng.uniform(0.65, 0.9)
    flange = rng.random() < 0.2

    def field(u: Floats, v: Floats) -> tuple[Floats, Floats]:
        rho, flats = np.hypot(u, v), _hexagon(u, v)
        outer = flats - r * 0.97
        height = thick - np.clip(rho - r * 0.93, 0, None) * 0.9
        if flange:
            height = np.where(outer < 0, height, thick * 0.3 - np.clip(rho - r * 1.25, 0, None) * 0.8)
            outer = rho - r * 1.38
        thread = np.sin(rho * np.float32(1.9)) * 0.5
        height = height - np.clip(bore * 1.2 - rho, 0, None) * 1.5 + np.where(rho < bore * 1.1, thread, 0)
        return np.maximum(outer, bore - rho), height

    reach = r * (1.42 if flange else 1.14) + 2
    return Part("nut", (reach, reach), thick, True, field)


def washer(rng: Generator, scale: float) -> Part:
    """Draw a flat washer; some are split (spring lock washers)."""
    r = scale * rng.uniform(24.0, 43.0)
    bore, thick = r * rng.uniform(0.42, 0.62), 3.0 + r * 0.08
    split, dome = rng.random() < 0.25, rng.uniform(0.0, 0.12)

    def field(u: Floats, v: Floats) -> tuple[Floats, Floats]:
        rho = np.hypot(u, v)
        distance = np.maximum(rho - r, bore - rho)
        if split:
            distance = np.maximum(distance, np.where(u > 0, 2.2 - np.abs(v + u * 0.35), -9))
        rim = np.clip(2.5 - (r - rho), 0, None) + np.clip(2.5 - (rho - bore), 0, None)
        return distance, thick - rim * 0.8 - dome * rho

    return Part("washer", (r + 2, r + 2), thick, True, field)


def spring(rng: Generator, scale: float) -> Part:
    """Draw a compression spring on its side: the near half of each coil hides the far half."""
    r = scale * rng.uniform(15.0, 24.0)
    wire, pitch = r * rng.uniform(0.12, 0.17), r * rng.uniform(0.5, 0.8)
    turns = int(rng.integers(2, 5))
    half = pitch * (turns + 0.75)
    # Steps of about a pixel and a half, else the wire looks beaded.
    t = np.linspace(-1.5 * np.pi, 1.5 * np.pi, 121, dtype=np.float32)
    path = np.stack([pitch * t / (2 * np.pi), r * np.sin(t), r * np.cos(t)])

    def field(u: Floats, v: Floats) -> tuple[Floats, Floats]:
        near = (np.abs(u) < half + wire * 3) & (np.abs(v) < r + wire + 2)
        along, across = u[near], v[near]
        along -= np.clip(np.round(along / pitch), -turns, turns) * np.float32(pitch)
        gap, top = np.full_like(along, 99), np.full_like(along, -r)
        for x, y, z in path.T:
            square = np.square(along - x) + np.square(across - y)
            wall = np.float32((wire + 1) ** 2) - square
            # A wire a pixel too thick: the edge's normal then still exists where the alpha ends.
            np.maximum(top, np.where(wall > 0, z + np.sqrt(np.abs(wall)), -r), out=top)
            np.minimum(gap, square, out=gap)
        distance, height = np.full_like(u, 99), np.full_like(u, 0)
        distance[near] = np.sqrt(gap) - wire
        height[near] = top + r
        return distance, height

    return Part("spring", (half + wire * 3 + 2, r + wire + 2), r * 1.4, False, field)


SHAPES = {shape.__name__: shape for shape in (bolt, nut, screw, spring, washer)}
