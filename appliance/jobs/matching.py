"""Which of a project's images a dataset means when it brings no picture: told by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import PurePosixPath

from appliance.store import Store, images

__all__ = ["by_name"]

_AT_ONCE = 1_000
_PAGE = 10_000


def by_name(store: Store, project_id: int, names: Iterable[str]) -> dict[str, str]:
    """Return for each name, where exactly one image fits, the image's content hash.

    The same name is best; then the one image whose path ends in it, or with whose path it ends;
    then the one image of the same file name. Blocks; memory goes with `names`, not with the project.
    """
    found: dict[str, str] = {}
    left: dict[str, set[str]] = {}
    for part in _parts(names):
        same = store.read(lambda reading, part=part: images.by_names(reading, project_id, part))
        found |= same
        for name in part:
            if name not in same:
                left.setdefault(PurePosixPath(name).name, set()).add(name)
    if left:
        found |= _by_ending(store, project_id, left)
    return found


def _by_ending(store: Store, project_id: int, left: dict[str, set[str]]) -> dict[str, str]:
    near: dict[str, list[str]] = {}
    alike: dict[str, list[str]] = {}
    for image_name, sha256 in _all(store, project_id):
        for name in left.get(PurePosixPath(image_name).name, ()):
            alike.setdefault(name, []).append(sha256)
            if image_name.endswith(f"/{name}") or name.endswith(f"/{image_name}"):
                near.setdefault(name, []).append(sha256)
    return {
        name: (near.get(name) or candidates)[0]
        for name, candidates in alike.items()
        if len(near.get(name) or candidates) == 1
    }


def _all(store: Store, project_id: int) -> Iterator[tuple[str, str]]:
    after = 0
    while page := store.read(lambda reading, after=after: images.names_after(reading, project_id, after, _PAGE)):
        yield from ((name, sha256) for _, name, sha256 in page)
        after = page[-1][0]


def _parts(names: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(names)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
