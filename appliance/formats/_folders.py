"""Finding files inside a dataset's folder, and nowhere else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from appliance.errors import UnreadableDataset

__all__ = ["PICTURE_SUFFIXES", "Inside", "files_below"]

PICTURE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif", ".avif",
     ".heic", ".heif", ".hif", ".jp2", ".mpo")
)  # fmt: skip
"""What counts as a picture in a folder of them; whether it is one, decoding tells."""

_MAX_FILES = 10_000_000


class Inside:
    """A folder that nothing leads out of: neither ``..``, nor an absolute path, nor a symbolic link.

    Args:
        root: The folder.

    Raises:
        UnreadableDataset: It is no folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        if not self.root.is_dir():
            raise UnreadableDataset(f"{root.name}: there is no such folder", file=root.name)

    def holds(self, path: Path) -> bool:
        """Say whether the path, with links followed, is below the root (or is the root)."""
        try:
            real = os.path.realpath(path)
        except (OSError, ValueError):
            return False
        return real == str(self.root) or real.startswith(os.path.join(self.root, ""))

    def file(self, folders: Sequence[Path], names: Iterable[str]) -> Path | None:
        """Return the first ``folder / name`` that is a file below the root."""
        for name in names:
            for folder in folders:
                path = folder / name
                if _is_file(path) and self.holds(path):
                    return path
        return None

    def relative(self, path: Path) -> str:
        """Return the path below the root with forward slashes, for messages and names."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.name


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def files_below(folder: Path, suffixes: frozenset[str]) -> list[str]:
    """Return the files with one of the lower-case suffixes below a folder, sorted; links to folders stay closed.

    Raises:
        UnreadableDataset: More than ten million.
    """
    found: list[str] = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        found += [
            os.path.join(place, name)
            for name in sorted(names)
            if os.path.splitext(name)[1].lower() in suffixes and not name.startswith("._")
        ]
        if len(found) > _MAX_FILES:
            raise UnreadableDataset(f"{folder.name}: more than {_MAX_FILES} files", file=folder.name)
    return found
