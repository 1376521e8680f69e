"""The tray under the parts: brushed steel or grained plastic, scratched, stained, with a rim."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from appliance.demo._parts import Floats

__all__ = ["blotches", "tray"]

# Blue, green, red at the middle of the light: steel, charcoal, blue and grey antistatic plastic.
_STEEL = (134.0, 136.0, 133.0)
_PLASTICS = ((62.0, 57.0, 55.0), (128.0, 88.0, 58.0), (150.0, 156.0, 158.0), (94.0, 104.0, 98.0))


def blotches(rng: Generator, width: int, height: int, cell: int) -> Floats:
    """Return smooth noise of about unit deviation, float32 (height, width), grain `cell` pixels."""
    coarse = rng.standard_normal((height // cell + 3, width // cell + 3), dtype=np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def _brushed(rng: Generator, width: int, height: int) -> Floats:
    """Return the streaks of a brushed sheet: noise drawn out along one axis."""
    noise = rng.standard_normal((height, width), dtype=np.float32)
    upright = rng.random() < 0.3
    streaks = np.zeros_like(noise)
    for length, weight in ((9, 8.0), (75, 30.0)):
        streaks += cv2.blur(noise, (1, length) if upright else (length, 1)) * weight
    return streaks


def _grained(rng: Generator, width: int, height: int) -> Floats:
    """Return the relief of moulded plastic, lit from the upper left."""
    noise = cv2.GaussianBlur(rng.standard_normal((height, width), dtype=np.float32), (0, 0), 1.3)
    return cv2.Sobel(noise, cv2.CV_32F, 1, 1, ksize=3) * 6 + cv2.Sobel(noise, cv2.CV_32F, 1, 0, ksize=3) * 6


def _scratches(rng: Generator, width: int, height: int, count: int) -> Floats:
    """Return scratches: a bright thread with its own shadow beside it."""
    layer = np.zeros((height, width), np.uint8)
    for _ in range(count):
        start = rng.integers(0, (width, height))
        angle, length = rng.uniform(0, np.pi), rng.uniform(15, 220) * rng.uniform(0.2, 1)
        bend = rng.uniform(-0.4, 0.4)
        steps = np.linspace(0, 1, 6)[:, None]
        turn = angle + bend * steps
        points = start + steps * length * np.hstack([np.cos(turn), np.sin(turn)])
        tone = int(rng.integers(25, 120))
        cv2.polylines(layer, [np.round(points).astype(np.int32)], False, (tone,), 1, cv2.LINE_AA)
    thread = layer.astype(np.float32)
    return thread * 0.35 - np.roll(thread, (1, 1), (0, 1)) * 0.25


def _specks(rng: Generator, width: int, height: int) -> Floats:
    """Return dust and metal chips: dark or bright bits a few pixels across."""
    layer = np.zeros((height, width, 1), np.uint8)
    for _ in range(int(rng.integers(5, 40))):
        at = rng.integers(0, (width, height))
        points = at + rng.integers(-3, 4, (4, 2)) * int(rng.integers(1, 3))
        cv2.fillPoly(layer, [points.astype(np.int32)], (int(rng.integers(20, 140)),), cv2.LINE_AA)
    grit = layer[..., 0].astype(np.float32)
    return grit * 0.7 - np.roll(grit, (2, 1), (0, 1)) * 0.6


def _rim(rng: Generator, width: int, height: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the gain of a raised rim along one side (lip, highlight, wall, shade) and where it is."""
    angle = int(rng.integers(4)) * np.pi / 2 + rng.uniform(-0.04, 0.04)
    normal = np.cos(angle), np.sin(angle)
    half = abs(normal[0]) * width / 2 + abs(normal[1]) * height / 2
    x = np.arange(width, dtype=np.float32) - width / 2
    y = np.arange(height, dtype=np.float32)[:, None] - height / 2
    inside = half - rng.uniform(10, 60) - (x * normal[0] + y * normal[1])
    stops = [-40, -8, -3, 0, 3, 10, 22, 70]
    gains = [1.12, 1.2, 1.55, 1.35, 0.55, 0.62, 0.8, 1.0]
    return np.interp(inside, stops, gains).astype(np.float32), inside < 12


def tray(rng: Generator, width: int, height: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Draw an empty tray.

    Returns:
        The tray, float32 (height, width, 3), blue, green, red, about 0..255 under even light, and
        the mask of its rim, on which nothing lies.
    """
    steel = rng.random() < 0.5
    tone = np.array(_STEEL if steel else _PLASTICS[int(rng.integers(4))], np.float32)
    tone = tone * rng.uniform(0.85, 1.15) * rng.uniform(0.98, 1.02, 3).astype(np.float32)
    relief = _brushed(rng, width, height) if steel else _grained(rng, width, height)
    relief *= (tone.mean() + 60) / 190
    relief += _scratches(rng, width, height, int(rng.integers(8, 45)))
    relief += _specks(rng, width, height)
    gain = 1 + 0.03 * blotches(rng, width, height, 90)
    stain = np.clip(blotches(rng, width, height, 70) - rng.uniform(1.0, 2.2), 0, 1)
    gain -= stain * rng.uniform(0.1, 0.3)
    rim = np.zeros((height, width), bool)
    if rng.random() < 0.4:
        edge, rim = _rim(rng, width, height)
        gain *= edge
    return cv2.merge([(relief + channel) * gain for channel in tone]), rim
