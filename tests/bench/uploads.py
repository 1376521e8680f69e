"""Many small pictures over tus beside the plain POST, and one large file in one PATCH."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench._base import Bench, Figure, Options, figures
from tests.bench._fill import ready_folder
from tests.bench._load import drive, render
from tests.bench._ours import Box, serving
from tests.bench._pictures import pictures

__all__ = ["BENCH"]

_IMAGES = 1_000
_CONNECTIONS = 4
"""As many as the console sends at once."""

_LARGE_BYTES = 256 << 20


def run(options: Options) -> Iterator[Figure]:
    """Send the same pictures one by one in both ways, in turn into boxes of their own; then a large file."""
    paths = pictures(options, options.times(_IMAGES))
    measured: dict[str, tuple[float, str]] = {}
    for name, render_one in (("plain", _plain), ("tus", _tus)):
        folder = options.fresh("uploads") / "data"
        with serving(folder, ready_folder(folder)) as box:
            project_id = box.project(name)
            requests = [render_one(box, project_id, path) for path in paths]
            sent = drive(box.url, requests, _CONNECTIONS).require(201)
            measured[f"images_per_s_{name}"] = (sent.per_s, "images/s")
            if name == "tus":
                measured["large_mb_per_s"] = (_large(box, project_id), "MB/s")
    yield from figures("uploads", measured)


def _plain(box: Box, project_id: int, path: Path) -> bytes:
    return box.post(f"/api/projects/{project_id}/images?name={path.name}", path.read_bytes(), "image/jpeg")


def _tus(box: Box, project_id: int, path: Path) -> bytes:
    """Render creation-with-upload: one request for all of the picture."""
    data = path.read_bytes()
    headers = _headers(box, path.name, len(data)) | {"Content-Type": "application/offset+octet-stream"}
    return render("POST", f"/api/projects/{project_id}/uploads", headers, data)


def _headers(box: Box, name: str, length: int) -> dict[str, str]:
    return box.headers | {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(length),
        "Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()}",
    }


def _large(box: Box, project_id: int) -> float:
    """Return 10⁶ bytes a second of one PATCH, each acknowledged byte synced.

    Raises:
        RuntimeError: The bytes did not all come.
    """
    url = f"/api/projects/{project_id}/uploads"
    made = box.client.post(url, headers=_headers(box, "large.zip", _LARGE_BYTES))
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    data = os.urandom(1 << 20) * (_LARGE_BYTES >> 20)
    began_s = time.perf_counter()
    answer = box.client.patch(made.headers["Location"], headers=headers, content=data)
    seconds = time.perf_counter() - began_s
    if answer.headers.get("Upload-Offset") != str(_LARGE_BYTES):
        raise RuntimeError(f"the large file did not come: {answer.status_code} {answer.text[:200]}")
    return _LARGE_BYTES / 1e6 / seconds


BENCH = Bench(
    name="uploads",
    summary="JPEGs of 50 kB over tus in one request each, beside the plain POST; a large file",
    run=run,
    targets={"images_per_s_tus": "≥ 0.9 × plain"},
)
