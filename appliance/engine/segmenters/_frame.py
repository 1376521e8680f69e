"""From pixels of the image to those of the picture a segmenter sees, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from appliance.engine.segmenters._base import Prompt
from appliance.geometry import rle
from appliance.geometry.mask import Mask
from appliance.records import Click

__all__ = ["Frame"]


class Frame(NamedTuple):
    """A region of an image, and the picture that shows it, perhaps scaled down.

    Attributes:
        region: x1, y1, x2, y2 in whole pixels of the image.
        width: Of the picture.
        height: Of the picture.
    """

    region: tuple[int, int, int, int]
    width: int
    height: int

    @property
    def gain(self) -> np.ndarray:
        """Pixels of the picture per pixel of the image, x and y."""
        x1, y1, x2, y2 = self.region
        return np.array([self.width / (x2 - x1), self.height / (y2 - y1)])

    def prompt(
        self, clicks: Sequence[Click], box: tuple[float, float, float, float] | None, mask: Mask | None
    ) -> Prompt:
        """Return what was said of the image as said of the picture."""
        points = np.array([(click.x, click.y) for click in clicks], np.float64).reshape(-1, 2)
        corners = (
            None if box is None else tuple(self._moved(np.array(box, np.float64).reshape(2, 2)).ravel().tolist())
        )
        return Prompt(
            self._moved(points),
            np.array([click.positive for click in clicks], bool),
            corners,
            None if mask is None else self._shown(mask),
        )

    def mask(self, pixels: np.ndarray, width: int, height: int) -> Mask | None:
        """Return a mask of the picture as one of the image, whose size is given; None when nothing is inside.

        Args:
            pixels: bool ``[height, width]`` of the picture.
            width: Of the image.
            height: Of the image.
        """
        rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        if not len(rows):
            return None
        top, bottom = max(0, rows[0] - 1), min(self.height, rows[-1] + 2)
        left, right = max(0, columns[0] - 1), min(self.width, columns[-1] + 2)
        (x1, y1), (x2, y2) = (np.round(np.array(at) / self.gain).astype(int) for at in ((left, top), (right, bottom)))
        part = pixels[top:bottom, left:right]
        if part.shape != (y2 - y1, x2 - x1):
            grey = cv2.resize(part.astype(np.uint8) * 255, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
            part = grey >= 128
        runs = rle.placed(part, self.region[0] + x1, self.region[1] + y1, height, width)
        return Mask([height, width], rle.compress(runs)) if rle.area(runs) else None

    def _moved(self, points: np.ndarray) -> np.ndarray:
        return np.asarray((points - self.region[:2]) * self.gain)

    def _shown(self, mask: Mask) -> np.ndarray | None:
        """Return the part of an image's mask that the picture shows, by its pixels' centres; None for nothing."""
        height = mask.size[0]
        pixels, left, top = rle.cropped(rle.parse(mask.counts, *mask.size), height)
        gain_x, gain_y = self.gain
        columns = np.floor(self.region[0] + (np.arange(self.width) + 0.5) / gain_x).astype(int) - left
        rows = np.floor(self.region[1] + (np.arange(self.height) + 0.5) / gain_y).astype(int) - top
        inside = ((rows >= 0) & (rows < pixels.shape[0]))[:, None] & ((columns >= 0) & (columns < pixels.shape[1]))
        if not inside.any():
            return None
        taken = pixels[np.ix_(rows.clip(0, pixels.shape[0] - 1), columns.clip(0, pixels.shape[1] - 1))]
        return np.asarray(taken & inside)
