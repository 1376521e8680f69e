"""Codecs between a dataset and files: one file each, found by the registry.

A format module declares ``FORMAT``, a `Format` (see `appliance.formats._base` for the whole
contract). Writing goes into a `Sink` (`FolderSink`, `ZipSink`), reading comes from a folder
or a single file. Formats never open pictures: pixels belong to `appliance.imaging`.
"""

from __future__ import annotations

from pathlib import Path

from appliance.formats._base import (
    CROWD,
    Candidate,
    Dataset,
    Format,
    Reader,
    ReadLabel,
    ReadOptions,
    Sink,
    SizeOf,
    WriteOptions,
)
from appliance.formats._sinks import FolderSink, ZipSink
from appliance.registry import discover

__all__ = [
    "CROWD", "Candidate", "Dataset", "FolderSink", "Format", "ReadLabel", "ReadOptions", "Reader", "Sink",
    "SizeOf", "WriteOptions", "ZipSink", "formats", "recognise",
]  # fmt: skip


def formats() -> dict[str, Format]:
    """Return every format by its name."""
    return discover("appliance.formats", "FORMAT")


def recognise(folder: str | Path) -> list[Candidate]:
    """Ask every format whether `folder` holds a dataset of its kind; cheap, nothing is decoded."""
    found = (variant.recognise(folder) for variant in formats().values())
    return [candidate for candidate in found if candidate is not None]
