"""How parts take the light: metal finishes, wear, and the shadow they throw."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from appliance.demo._parts import Floats, Part, smoothstep
from appliance.demo._tray import blotches

__all__ = ["Finish", "Lamp", "draw_finish", "draw_lamp", "shade", "shadow"]

_RUST_DARK = np.array([26.0, 42.0, 70.0], np.float32)
_RUST_LIGHT = np.array([46.0, 88.0, 140.0], np.float32)


@dataclass(frozen=True)
class Lamp:
    """The light of one picture: unit vectors towards a bar light and a weaker second one."""

    key: tuple[float, float, float]
    fill: tuple[float, float, float]


@dataclass(frozen=True)
class Finish:
    """A surface: its tint in blue, green, red, about 0..255, how glossy and how rusty it is, about 0..1."""

    tint: tuple[float, float, float]
    gloss: float
    rust: float


_FINISHES = (
    ((205.0, 208.0, 206.0), 0.9),  # zinc
    ((222.0, 220.0, 214.0), 1.15),  # stainless
    ((108.0, 176.0, 208.0), 0.9),  # yellow chromate
    ((84.0, 82.0, 82.0), 0.8),  # black oxide
    ((92.0, 166.0, 212.0), 1.05),  # brass
)
_ODDS = (0.4, 0.24, 0.1, 0.16, 0.1)


def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    norm = float(np.sqrt(x * x + y * y + z * z))
    return x / norm, y / norm, z / norm


def draw_lamp(rng: Generator) -> Lamp:
    """Draw where the light comes from: the bar somewhere above the upper edge, as cells mount it."""
    key = rng.uniform(-np.pi, 0)
    fill = key + rng.uniform(1.8, 4.4)
    return Lamp(
        _unit(np.cos(key), np.sin(key), rng.uniform(0.9, 1.5)),
        _unit(np.cos(fill), np.sin(fill), rng.uniform(0.6, 1.2)),
    )


def draw_finish(rng: Generator) -> Finish:
    """Draw a finish; about one part in five has begun to rust."""
    tint, gloss = _FINISHES[int(rng.choice(len(_FINISHES), p=_ODDS))]
    level = rng.uniform(0.88, 1.08)
    tone = (tint[0] * level, tint[1] * level, tint[2] * level)
    return Finish(tone, gloss * rng.uniform(0.75, 1.1), max(rng.uniform(-1.6, 0.5), 0.0))


def _towards(r: tuple[Floats, Floats, Floats], lamp: tuple[float, float, float]) -> Floats:
    return r[0] * lamp[0] + r[1] * lamp[1] + r[2] * lamp[2]


def shade(
    rng: Generator,
    part: Part,
    finish: Finish,
    lamp: Lamp,
    height: Floats,
    frame: tuple[Floats, Floats],
    covered: NDArray[np.bool_],
) -> Floats:
    """Return the colour of a part, float32 (h, w, 3), about 0..255, and 0 where it is not.

    The eye looks straight down; each normal mirrors a room of a bar light, a weaker light, a
    grey ceiling and the dark below the horizon, which is what makes metal look like metal.

    Args:
        rng: Source of the wear.
        part: What is drawn.
        finish: Its surface.
        lamp: The light, in the picture's frame.
        height: (h, w) pixels above the tray, in the picture's frame.
        frame: The part's own u and v at each pixel.
        covered: (h, w) the pixels to colour: a slanted part fills a quarter of its frame.
    """
    dx = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)[covered]
    dy = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)[covered]
    nz = 1 / np.sqrt(1 + dx * dx + dy * dy)
    mirrored = (-2 * nz * nz * dx, -2 * nz * nz * dy, 2 * nz * nz - 1)
    key, fill = _towards(mirrored, lamp.key), _towards(mirrored, lamp.fill)
    room = 0.2 + 0.34 * smoothstep(-0.9, 0.9, mirrored[2]) + 0.22 * smoothstep(-0.2, 0.9, key)
    shine = 0.62 * smoothstep(0.72, 0.97, key) + 0.26 * smoothstep(0.8, 0.97, fill)
    if part.turned:
        u, v = frame[0][covered], frame[1][covered]
        bow = np.cos(2 * np.arctan2(v, u) + np.float32(rng.uniform(0, 6.28)))
        rings = np.sin(np.hypot(u, v) * np.float32(2.2))
        room += (0.13 * bow + 0.025 * rings) * smoothstep(0.85, 0.99, nz)
    h, w = height.shape
    room *= 1 + 0.035 * rng.standard_normal(len(nz), dtype=np.float32) + 0.05 * blotches(rng, w, h, 14)[covered]
    tint = np.array(finish.tint, np.float32)
    colour = room[..., None] * tint * 1.12 + (shine * finish.gloss)[..., None] * (0.5 * tint + 105)
    if finish.rust > 0:
        colour = _rusted(rng, colour, room, finish.rust, covered)
    picture = np.zeros((h, w, 3), np.float32)
    picture[covered] = colour
    return picture


def _rusted(rng: Generator, colour: Floats, room: Floats, amount: float, covered: NDArray[np.bool_]) -> Floats:
    """Blend rust in where blotches of two sizes add up; rust is matt and keeps only the room's light."""
    h, w = covered.shape
    where = (blotches(rng, w, h, 22) + 0.6 * blotches(rng, w, h, 5))[covered]
    cover = smoothstep(1.2 - 2 * amount, 1.9 - 2 * amount, where)[..., None] * 0.8
    age = np.clip(0.5 + 0.35 * blotches(rng, w, h, 4)[covered], 0, 1)[..., None]
    rust = _RUST_DARK + (_RUST_LIGHT - _RUST_DARK) * age
    return colour * (1 - cover) + (0.35 + room)[..., None] * rust * cover


def shadow(cover: Floats, thickness: float, lamp: Lamp) -> tuple[Floats, int]:
    """Return what a part leaves of the light around it: soft cast shadow and contact shade.

    Args:
        cover: (h, w) alpha of the part.
        thickness: Height of the part in pixels.
        lamp: The light.

    Returns:
        float32 0..1 of the part's frame widened on all sides, and by how many pixels.
    """
    margin = 2 * int(thickness * 0.7 + 4)
    wide = cv2.copyMakeBorder(cover, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    h, w = wide.shape
    # Shadows are soft, so half the resolution does.
    small = cv2.resize(wide, ((w + 1) // 2, (h + 1) // 2), interpolation=cv2.INTER_AREA)
    reach = 0.375 * thickness / lamp.key[2]
    move = np.array([[1, 0, -lamp.key[0] * reach], [0, 1, -lamp.key[1] * reach]], np.float32)
    cast = cv2.warpAffine(small, move, (small.shape[1], small.shape[0]))
    cast = cv2.GaussianBlur(cast, (0, 0), 0.75 + thickness * 0.08)
    contact = cv2.GaussianBlur(small, (0, 0), 1.0 + thickness * 0.06)
    light = (1 - 0.46 * cast) * (1 - 0.4 * contact)
    return cv2.resize(light, (w, h), interpolation=cv2.INTER_LINEAR), margin
