"""What the camera adds: uneven light, vignetting, defocus, sensor noise, JPEG."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from appliance.demo._parts import Floats

__all__ = ["encode", "expose"]


def _illumination(rng: Generator, width: int, height: int) -> Floats:
    """Return the light over the field, brightest somewhere off the middle, darker in the corners."""
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(height / width)
    cx, cy = rng.uniform(-0.5, 0.5), rng.uniform(-0.35, 0.35)
    pool = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) * np.float32(rng.uniform(0.25, 0.7)))
    vignette = 1 - rng.uniform(0.12, 0.3) * (x * x + y * y)
    return (0.58 + 0.62 * pool) * vignette


def expose(rng: Generator, picture: Floats) -> NDArray[np.uint8]:
    """Photograph a scene.

    Args:
        rng: Source of the camera's settings and noise.
        picture: float32 (height, width, 3), about 0..255 under even light.

    Returns:
        uint8 (height, width, 3), blue, green, red.
    """
    height, width = picture.shape[:2]
    light = _illumination(rng, width, height) * rng.uniform(0.92, 1.12)
    balance = rng.uniform(0.95, 1.06), 1.0, rng.uniform(0.96, 1.06)
    picture = picture * cv2.merge([light * gain for gain in balance])
    picture = np.maximum(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.55, 1.05)), 0)
    # A shoulder above 195 keeps highlights from clipping to flat white.
    hot = picture > 195
    excess = picture[hot] - 195
    picture[hot] = 195 + excess * 60 / (60 + excess)
    read, shot = rng.uniform(0.8, 2.0), rng.uniform(0.12, 0.28)
    strength = read + shot * np.sqrt(picture[..., 1])
    grain = rng.standard_normal((height, width), dtype=np.float32)
    tint = 0.6 * rng.standard_normal((height // 2, width // 2, 3), dtype=np.float32)
    planes = cv2.split(cv2.resize(tint, (width, height), interpolation=cv2.INTER_LINEAR))
    picture += cv2.merge([(plane + grain) * strength for plane in planes])
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def encode(pixels: NDArray[np.uint8], quality: int) -> bytes:
    """Return the JPEG of uint8 (height, width, 3) pixels, blue, green, red."""
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
