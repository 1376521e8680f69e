"""Names from datasets made into paths that stay inside, on every file system."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable

__all__ = ["Namer", "safe_path"]

_DRIVE = re.compile(r"^[A-Za-z]:")
# Windows refuses these, and USB sticks are mostly formatted for it; the last ranges are
# invisible or direction-changing characters that make a name look like another one.
# Source: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_REFUSED = re.compile('[\x00-\x1f\x7f-\x9f<>:"|?*\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
# Most names are like these, and safe as they are: long enough not to be reserved.
_PLAIN = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_-]{4,60}/){0,4}[A-Za-z0-9_][A-Za-z0-9_-]{4,100}\.[A-Za-z0-9]{1,5}")
_COMPONENT_BYTES = 200
_PATH_BYTES = 800


def safe_path(name: str) -> str:
    """Return `name` as a relative POSIX path that can be written anywhere and never leaves its root.

    Backslashes count as separators; drive letters, leading slashes, ``.`` and ``..`` go away;
    characters and names that some file system refuses are replaced; what is too long is cut and
    told apart by a hash. A name that is safe already comes back unchanged.
    """
    if _PLAIN.fullmatch(name):
        return name
    plain = _DRIVE.sub("", name.replace("\\", "/"))
    parts = [_component(part) for part in plain.split("/") if part not in ("", ".", "..")]
    path = "/".join(parts) or "unnamed"
    if len(path.encode()) > _PATH_BYTES:
        return _cut(parts[-1], name)
    return path


def _component(part: str) -> str:
    clean = _REFUSED.sub("_", part).rstrip(" .") or "_"
    if _RESERVED.match(clean) or (clean.startswith(".") and clean.endswith(".part")):
        clean = "_" + clean  # the second kind is what a sink calls its unfinished files
    return _cut(clean, part) if len(clean.encode()) > _COMPONENT_BYTES else clean


def _cut(component: str, original: str) -> str:
    stem, dot, suffix = component.rpartition(".")
    if not dot or len(suffix) > 10:
        stem, suffix = component, ""
    digest = hashlib.sha256(original.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    head = stem.encode()[: _COMPONENT_BYTES - 40].decode("utf-8", "ignore")
    return f"{head}-{digest}{dot and '.' if suffix else ''}{suffix}"


class Namer:
    """Gives every name of a stream a safe path of its own.

    Two paths that differ only in case, in Unicode composition or in what `key` leaves out are
    one: the later gets a number. A path that needs a folder where a file is, or the other way
    round, moves up beside it. The same names in the same order always get the same paths.

    Args:
        key: Reduces a path to what must be unique (such as the path without its suffix).
        safe: Makes the path safe in the first place.
    """

    def __init__(self, key: Callable[[str], str] | None = None, safe: Callable[[str], str] = safe_path) -> None:
        self._key = key
        self._safe = safe
        self._files: set[str] = set()
        self._keys: set[str] = self._files if key is None else set()
        self._folders: set[str] = {""}
        self._next: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        """Return the path for `name`; equal to it unless it had to be changed."""
        path = self._safe(name)
        if not self._open_folder(path.rpartition("/")[0]):
            path = self._safe(path.replace("/", "_"))
        if not self._free(path):
            path = self._numbered(path)
        self._files.add(_folded(path))
        self._keys.add(_folded(path if self._key is None else self._key(path)))
        return path

    def _free(self, path: str) -> bool:
        folded = _folded(path)
        key = folded if self._key is None else _folded(self._key(path))
        return key not in self._keys and folded not in self._files and folded not in self._folders

    def _open_folder(self, folder: str) -> bool:
        """Note the folder and those above it; say no when one of them is a file already."""
        folded = _folded(folder)
        if folded in self._folders:
            return True
        parts = folded.split("/")
        chain = ["/".join(parts[: i + 1]) for i in range(len(parts))]
        if any(place in self._files for place in chain):
            return False
        self._folders.update(chain)
        return True

    def _numbered(self, path: str) -> str:
        folder, slash, last = path.rpartition("/")
        stem, dot, suffix = last.rpartition(".")
        if not stem:
            stem, dot, suffix = last, "", ""
        base = _folded(f"{folder}{slash}{stem}")
        number = self._next.get(base, 2)
        while not self._free(candidate := f"{folder}{slash}{stem}_{number}{dot}{suffix}"):
            number += 1
        self._next[base] = number + 1
        return candidate


def _folded(path: str) -> str:
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()
