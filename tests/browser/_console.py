"""Pages of a real Chromium that watch themselves: errors, foreign requests, frames of the socket."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    WebSocket,
    expect,
    sync_playwright,
)

from appliance.web.static import DIST

__all__ = ["LAN_NAME", "Console", "Desk", "chromium"]

LAN_NAME = "box.test"
"""A host name that only this browser knows, and which means this machine."""

_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    f"--host-resolver-rules=MAP {LAN_NAME} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
_PATIENCE_MS = 20_000
_BLOCKED = re.compile("^Service Worker registration blocked by Playwright")
_UNANSWERED = re.compile(r"Failed to load resource: .*401 .* at \S+/api/session$")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium, or skip with the reason."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("needs Chromium on the path: ./run test installs it")
    if not (DIST / "index.html").exists():
        pytest.skip("needs the built user interface: ./run test builds it")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_FLAGS))
        yield browser
        browser.close()


@dataclass
class Desk:
    """One person's page."""

    page: Page
    url: str
    frames: list[dict[str, Any]] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Load an address of the box."""
        self.page.goto(self.url + path)
        return self.page

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of the events of one kind that came over the socket."""
        return [frame["data"] for frame in self.frames if frame["kind"] == kind]

    def objects(self, count: int) -> None:
        """Wait until the image on the desk has so many objects."""
        words = "1 object" if count == 1 else f"{count} objects"
        expect(self.page.get_by_role("complementary", name="Objects").get_by_text(words, exact=True)).to_be_visible()

    def draw(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Drag a box between two places of the canvas, given as shares of its size."""
        expect(self.page.get_by_role("img", name=re.compile(r", \d+ objects?$"))).to_be_visible()
        canvas = self.page.locator(".canvas")
        area = canvas.bounding_box()
        assert area is not None
        self.page.keyboard.press("b")
        expect(self.page.get_by_role("button", name="Box", exact=True)).to_have_attribute("aria-pressed", "true")
        self.page.mouse.move(area["x"] + area["width"] * x1, area["y"] + area["height"] * y1)
        self.page.mouse.down()
        self.page.mouse.move(area["x"] + area["width"] * x2, area["y"] + area["height"] * y2, steps=4)
        self.page.mouse.up()

    def saved(self, revision: int) -> None:
        """Wait until the status line says that the box holds this revision."""
        expect(self.page.get_by_text(f"Saved, revision {revision}", exact=True)).to_be_visible()


class Console:
    """Open pages and keep what none of them may have: errors, and requests that leave the box."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._faults: list[str] = []
        self._expected: list[re.Pattern[str]] = [_BLOCKED]

    def expects(self, pattern: str) -> None:
        """Let console lines pass in which the pattern is found."""
        self._expected.append(re.compile(pattern))

    def open(self, url: str, client: httpx.Client | None = None, **options: Any) -> Desk:
        """Open a page of a context of its own, signed in as the client is.

        The console's files are kept by the browser only where a test asks for that (`service_workers`):
        elsewhere it would fetch all of them in the midst of what is looked at.
        """
        usual = {"viewport": {"width": 1440, "height": 900}, "ignore_https_errors": True, "service_workers": "block"}
        context = self._browser.new_context(**{**usual, **options})
        context.set_default_timeout(_PATIENCE_MS)
        self._contexts.append(context)
        if client is None:
            self._expected.append(_UNANSWERED)
        else:
            context.add_cookies([{"name": c.name, "value": c.value or "", "url": url} for c in client.cookies.jar])
        desk = Desk(context.new_page(), url)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self._faults.append(f"uncaught: {error.error}"))
        context.on("request", lambda request: self._asked(request, url))
        desk.page.on("websocket", lambda socket: _listen(socket, desk))
        return desk

    def close(self) -> None:
        """Close every page and fail for what went wrong on any of them."""
        for context in self._contexts:
            context.close()
        faults = [fault for fault in self._faults if not any(known.search(fault) for known in self._expected)]
        assert not faults, "\n".join(faults)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._faults.append(f"{message.text} at {message.location.get('url', '')}")

    def _asked(self, request: Request, url: str) -> None:
        if urlsplit(request.url).scheme not in ("data", "blob") and not request.url.startswith(f"{url}/"):
            self._faults.append(f"a request left the box: {request.url}")


def _listen(socket: WebSocket, desk: Desk) -> None:
    def receive(text: str | bytes) -> None:
        came = json.loads(text)
        desk.frames.extend(came if isinstance(came, list) else [came])

    socket.on("framereceived", receive)
