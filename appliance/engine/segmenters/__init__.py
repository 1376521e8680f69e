"""Interactive segmentation: one file per family, each the constant ``SEGMENTER``."""
