"""The user interface's files, from the folder its build writes."""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import falcon
import falcon.asgi
import msgspec

__all__ = ["DIST", "Static"]

DIST = Path(__file__).parent / "ui" / "dist"
_WORKBENCH = re.compile(r"projects/([0-9]+)/(?:annotate|review|images/([0-9]+))")
_SCRIPT = re.compile(
    r'<(?:script async type="module"|link rel="modulepreload") crossorigin (?:src|href)="(/assets/[^"]+)">'
)
_ID = re.compile("[0-9]{1,18}")
_ENCODINGS = ((".br", "br"), (".gz", "gzip"))
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/manifest+json",
          ".wasm": "application/wasm", ".woff2": "font/woff2", ".map": "application/json"}  # fmt: skip
_NOT_BUILT = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>PixelQueue</title>
<h1>PixelQueue is running</h1>
<p>The user interface is not built yet: run <code>./run</code> in the source tree, or install a release.</p>
<p>The API works: <a href="/api/docs">documentation</a>, <a href="/api/health">health</a>.</p></html>
"""


class _Content(msgspec.Struct, frozen=True):
    body: bytes
    etag: str


class Static:
    """A Falcon sink that answers GET and HEAD below the root.

    A request's path is looked up among the names the folder held when it was first asked,
    and never becomes a path itself. Paths of the interface's own router get index.html; those of the
    workbench get workbench.html, which names its code, and in a header the data that its script will ask for.
    Who is not signed in gets index.html there, too: all that data would be refused.

    Args:
        folder: What the build wrote.
        signed_in: Whether a request comes from somebody who is signed in.
    """

    def __init__(
        self, folder: Path = DIST, *, signed_in: Callable[[falcon.asgi.Request], bool] = lambda _: False
    ) -> None:
        self._folder = folder
        self._signed_in = signed_in
        self._files: dict[str, Path] | None = None
        self._contents: dict[Path, _Content] = {}

    async def __call__(self, request: falcon.asgi.Request, response: falcon.asgi.Response, **_: Any) -> None:
        """Answer with a file, with index.html, or say that the interface is not built."""
        if request.method not in ("GET", "HEAD"):
            raise falcon.HTTPMethodNotAllowed(["GET", "HEAD"])
        if not self._files:
            self._files = await asyncio.to_thread(self._listed)
        name = request.path.lstrip("/")
        if name not in self._files:
            if "." in name.rpartition("/")[2]:
                raise falcon.HTTPRouteNotFound
            name = await self._page(name, request, response)
        if name in self._files:
            await self._send(name, request, response)
        else:
            response.content_type, response.data = "text/html; charset=utf-8", _NOT_BUILT
            response.set_header("Cache-Control", "no-store")

    async def _page(self, path: str, request: falcon.asgi.Request, response: falcon.asgi.Response) -> str:
        """Return the page for a path of the router, and have the browser ask for what it is going to need.

        Its own files first: they are small, and nothing goes on without them; then the pixels, which take longest.
        """
        found = _WORKBENCH.fullmatch(path)
        if not found or not self._files or "workbench.html" not in self._files or not self._signed_in(request):
            return "index.html"
        project_id, named = found.groups()
        image_id = _ID.fullmatch(named or request.get_param("image") or "")
        shown = [f"/api/projects/{project_id}/labels"]
        if image_id:
            image = f"/api/projects/{project_id}/images/{image_id[0]}"
            shown = [f"{image}/view", f"{image}/annotations", *shown, image]
        page = await self._content(self._files["workbench.html"])
        links = [f"<{name}>; rel=modulepreload; crossorigin" for name in _SCRIPT.findall(page.body.decode())]
        links += [f"<{address}>; rel=preload; as=fetch; crossorigin" for address in shown]
        response.set_header("Link", ", ".join(links))
        return "workbench.html"

    def _listed(self) -> dict[str, Path]:
        return {p.relative_to(self._folder).as_posix(): p for p in self._folder.rglob("*") if p.is_file()}

    async def _send(self, name: str, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        assert self._files is not None
        path, encoding = self._files[name], None
        accepted = {
            part.partition(";")[0].strip() for part in (request.get_header("Accept-Encoding") or "").split(",")
        }
        for suffix, coding in _ENCODINGS:
            if coding in accepted and name + suffix in self._files:
                path, encoding = self._files[name + suffix], coding
                break
        content = await self._content(path)
        response.set_header("ETag", content.etag)
        response.set_header("Vary", "Accept-Encoding")
        immutable = name.startswith("assets/")
        response.set_header("Cache-Control", "public, max-age=31536000, immutable" if immutable else "no-cache")
        if request.get_header("If-None-Match") == content.etag:
            response.status = 304
            return
        response.content_type = _media_type(name)
        if encoding:
            response.set_header("Content-Encoding", encoding)
        response.data = content.body

    async def _content(self, path: Path) -> _Content:
        content = self._contents.get(path)
        if content is None:
            content = self._contents[path] = await asyncio.to_thread(_load, path)
        return content


def _load(path: Path) -> _Content:
    body = path.read_bytes()
    return _Content(body, f'"{sha256(body).hexdigest()[:32]}"')


def _media_type(name: str) -> str:
    suffix = Path(name).suffix
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
