"""What a killable child does with untrusted pictures: one request in, one answer out.

Requests and answers are JSON-able, so that whoever supervises the child may send them as it
likes. The limits on time and memory are the supervisor's.

| do | further fields | answer |
|---|---|---|
| admit | path, name, thumbnail, screen (may be left out), max_pixels | {"probe": …} |
| thumbnail | path, name, out, max_pixels | {} |
| rendition | path, name, out, max_pixels | {"width", "height", "media_type"} |
| upright | path, name, out, max_pixels | {"extension": ".jpg" or null} |
| tiles | path, name, out, folder, max_pixels | {"width", "height", "levels"}, after {"percent"} now and then |
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance.errors import InvalidInput
from appliance.imaging import limits

__all__ = ["CHILD_TASK", "handle"]

CHILD_TASK = True
"""May be run by `jobs.child`."""


Send = Callable[[dict[str, Any]], None]


def handle(request: dict[str, Any], send: Send = lambda _message: None) -> dict[str, Any]:
    """Answer one request.

    Args:
        request: ``do`` and the fields of the table above; `name` defaults to the file's own and
            `max_pixels` to `limits.DEFAULT_MAX_PIXELS`.
        send: Gets the messages of what takes long.

    Raises:
        UnreadableImage: As `probe.probe`, with its subclasses.
        InvalidInput: The request asks for something else.
    """
    work = _WORK.get(request.get("do", ""))
    if work is None:
        raise InvalidInput(f"do: {request.get('do')!r} is none of {', '.join(_WORK)}.", field="do")
    path = Path(request["path"])
    facts: dict[str, Any] = {
        "name": request.get("name") or path.name,
        "max_pixels": request.get("max_pixels") or limits.DEFAULT_MAX_PIXELS,
    }
    if request["do"] == "tiles":
        facts["tell"] = lambda percent: send({"percent": percent})
    return work(path, request, facts)


def _admit(path: Path, request: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    from appliance.imaging.probe import admit

    screen = Path(request["screen"]) if "screen" in request else None
    return {"probe": msgspec.to_builtins(admit(path, Path(request["thumbnail"]), screen_path=screen, **facts))}


def _thumbnail(path: Path, request: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    from appliance.imaging.probe import admit

    admit(path, Path(request["out"]), **facts)
    return {}


def _rendition(path: Path, request: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    from appliance.imaging import rendition

    width, height = rendition.render(path, Path(request["out"]), **facts)
    return {"width": width, "height": height, "media_type": rendition.MEDIA_TYPE}


def _upright(path: Path, request: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    from appliance.imaging.upright import upright_copy

    return {"extension": upright_copy(path, Path(request["out"]), **facts)}


def _tiles(path: Path, request: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    from appliance.imaging import tiles

    made = tiles.make(path, Path(request["out"]), Path(request["folder"]), **facts)
    return {"width": made.width, "height": made.height, "levels": made.levels}


_WORK: dict[str, Callable[[Path, dict[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "admit": _admit,
    "thumbnail": _thumbnail,
    "rendition": _rendition,
    "upright": _upright,
    "tiles": _tiles,
}
