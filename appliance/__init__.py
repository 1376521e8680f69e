"""PixelQueue: an image-annotation appliance in one process."""

__version__ = "0.1.0"
