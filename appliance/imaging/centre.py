"""The middle of a picture at a classifier's size.

Bit for bit what ultralytics does, because scores depend on it: Pillow's bilinear resize of the
shorter side, then a centred crop.
Source: behaviour of torchvision `Resize` and `CenterCrop` on Pillow images, as in ultralytics 8.4
`data.augment.classify_transforms`; checked in the tests against it.
"""

from __future__ import annotations

import numpy as np

__all__ = ["centre_crop"]


def centre_crop(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the middle of a picture.

    Args:
        pixels: ``(H, W, 3)`` uint8.
        size: ``(height, width)``. Where they are equal the picture's aspect is kept and its longer
            side cut, else it is stretched.

    Returns:
        ``(height, width, 3)`` uint8, same channel order.
    """
    from PIL import Image

    height, width = pixels.shape[:2]
    target_height, target_width = size
    if target_height == target_width:
        shorter = min(height, width)
        target_height, target_width = (int(size[0] * side / shorter) for side in (height, width))
    resized = Image.fromarray(pixels).resize((target_width, target_height), Image.Resampling.BILINEAR)
    top, left = round((target_height - size[0]) / 2), round((target_width - size[1]) / 2)
    return np.asarray(resized)[top : top + size[0], left : left + size[1]]
