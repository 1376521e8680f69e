"""Where the pictures of a YOLO dataset are: what ``data.yaml`` says, or the folders as they lie."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from appliance.errors import UnreadableDataset
from appliance.formats._base import Tally
from appliance.formats._folders import PICTURE_SUFFIXES, Inside, files_below
from appliance.formats._names import Namer
from appliance.records import Split

__all__ = ["Pictures"]

_MAX_LIST_BYTES = 1 << 30
_SPLITS: dict[str, Split] = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


class Pictures:
    """The pictures of a dataset and the split of each.

    Args:
        inside: The dataset's folder.
        facts: The top level of its ``data.yaml``.
        file: How messages call that file.
        tally: Counts what was left out or renamed.

    Attributes:
        paths: Paths below the folder, by the images' safe and unique names.
        splits: In the same order.

    Raises:
        UnreadableDataset: There are none.
    """

    def __init__(self, inside: Inside, facts: dict[str, Any], file: str, tally: Tally) -> None:
        self._inside = inside
        self._file = file
        self._tally = tally
        self._namer = Namer()
        self._seen: set[str] = set()
        self._places: set[str] = set()
        self.paths: dict[str, str] = {}
        self.splits: list[Split] = []
        self._find(facts)
        del self._namer, self._seen

    def _find(self, facts: dict[str, Any]) -> None:
        for key, split in _SPLITS.items():
            given = facts.get(key)
            for value in given if isinstance(given, list) else [given]:
                if isinstance(value, str) and value:
                    self._take_split(value, facts, split)
        if not self.paths:
            self._take_folders()
        if not self.paths:
            raise UnreadableDataset(f"{self._file}: no pictures where it says, nor in images/", file=self._file)

    def _take_split(self, value: str, facts: dict[str, Any], split: Split) -> None:
        base = facts.get("path")
        place = self._resolved(value, base if isinstance(base, str) else "")
        if place is None:
            self._tally.add("missing-split", f"{split}: there is no {value!r} in the dataset", self._file)
        elif str(place) in self._places:
            self._tally.add("same-split", f"{split} is the same pictures as another split", self._file)
        elif place.is_dir():
            self._places.add(str(place))
            self._take(files_below(place, PICTURE_SUFFIXES), str(place), split)
        else:
            self._take(self._listed(place), str(self._inside.root), split)

    def _resolved(self, value: str, base: str = "") -> Path | None:
        """Find what a path of ``data.yaml`` means inside the folder, whatever machine wrote it."""
        plain = value.replace("\\", "/")
        parts = [part for part in plain.split("/") if part not in ("", ".", "..")]
        tries = [self._inside.root / base / plain, self._inside.root / plain]
        tries += [self._inside.root.joinpath(*parts[index:]) for index in range(len(parts))]
        try:
            return next((path for path in tries if path.exists() and self._inside.holds(path)), None)
        except (OSError, ValueError):  # a name no file system takes
            return None

    def _listed(self, path: Path) -> list[str]:
        """Return the pictures of a text file with one path per line."""
        if path.stat().st_size > _MAX_LIST_BYTES:
            problem = f"{self._file}: {path.name} is over {_MAX_LIST_BYTES >> 30} GB"
            raise UnreadableDataset(problem, file=self._file)
        found: list[str] = []
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            for line in file:
                if not (value := line.strip()):
                    continue
                beside = self._inside.relative(path.parent)
                place = self._resolved(value, beside)
                if place is None or not place.is_file():
                    self._tally.add("missing-picture", f"{path.name}: there is no {value[:200]!r}", path.name)
                else:
                    found.append(os.path.normpath(place))
        return found

    def _take_folders(self) -> None:
        """Take all pictures below ``images``, or the folder itself; folders named like a split are one."""
        images = self._inside.root / "images"
        base = images if images.is_dir() else self._inside.root
        if not self._inside.holds(base):
            return
        by_split: dict[tuple[str, Split], list[str]] = {}
        for path in files_below(base, PICTURE_SUFFIXES):
            first = os.path.relpath(path, base).split(os.sep)[0]
            split = _SPLITS.get(first.lower())
            folder = os.path.join(base, first) if split else str(base)
            by_split.setdefault((folder, split or "train"), []).append(path)
        for (folder, split), paths in by_split.items():
            self._take(paths, folder, split)

    def _take(self, paths: list[str], base: str, split: Split) -> None:
        """Name the pictures; those that another split has already stay there."""
        for path in paths:
            below = os.path.relpath(path, self._inside.root)
            if below in self._seen:
                self._tally.add("shared-picture", "pictures in two splits stay in the first", below)
                continue
            if os.path.islink(path) and not self._inside.holds(Path(path)):
                self._tally.add("outside", "links that lead out of the dataset were left out", below)
                continue
            self._seen.add(below)
            original = os.path.relpath(path, base).replace(os.sep, "/").removeprefix("images/")
            name = self._namer(original)
            if name != original:
                self._tally.add("renamed", f"{original!r} is called {name!r} here", below)
            self.paths[name] = below
            self.splits.append(split)
