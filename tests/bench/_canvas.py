"""Pages with a canvas, ours and the peer's: built, served, driven by real input and watched frame by frame."""

from __future__ import annotations

import functools
import math
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from appliance.web.static import DIST
from tests._shared import ROOT
from tests.bench._base import percentile
from tests.bench._peers import PeerMissing

__all__ = ["chromium", "gestures", "heap_growth_mb", "our_page", "peer_page", "served", "strokes"]

_HERE = Path(__file__).parent
_UI = DIST.parent
_VIEW = (1600, 900)
_GESTURE_S = 2.5
_SETTLE_S = 0.6
_WARM_UP, _CHANGES = 50, 500
_CHANGED_POLYGONS = 200


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium without a GPU.

    Raises:
        RuntimeError: There is none.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise RuntimeError("this bench needs Chromium on the path: ./run test installs it")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--enable-precise-memory-info"]
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()


@contextmanager
def served(browser: Browser, folder: Path, ratio: float = 1) -> Iterator[Page]:
    """Serve a built page on loopback and open it on a screen with so many pixels for each of CSS."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page(viewport={"width": _VIEW[0], "height": _VIEW[1]}, device_scale_factor=ratio)
        page.set_default_timeout(120_000)
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_function("window.bench !== undefined")
        yield page
        page.close()
        server.shutdown()


def our_page(folder: Path) -> Path:
    """Build the page that mounts the editor's own stage."""
    return _built(_HERE / "canvas_page", folder)


def peer_page(folder: Path) -> Path:
    """Install react-konva below .venv-peers/ and build its page.

    Raises:
        PeerMissing: npm cannot install it.
    """
    home = ROOT / ".venv-peers" / "canvas"
    for name in ("canvas_page", "canvas_peer"):
        shutil.copytree(_HERE / name, home / name, dirs_exist_ok=True)
    peer = home / "canvas_peer"
    if not (peer / "node_modules").exists():
        command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=peer, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(peer / "node_modules", ignore_errors=True)
            raise PeerMissing(f"it cannot be installed: {done.stderr.strip()[-300:]}")
    return _built(peer, folder)


def _built(source: Path, folder: Path) -> Path:
    vite = ["npx", "vite", "build", str(source), "--config", str(_HERE / "canvas_page" / "vite.config.mjs")]
    done = subprocess.run(
        [*vite, "--outDir", str(folder), "--emptyOutDir"], cwd=_UI, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the page {source.name} cannot be built: {done.stderr[-500:]}")
    return folder


def gestures(page: Page, count: int, share: float = 1.0) -> dict[str, float]:
    """Pan, zoom and drag a vertex among `count` polygons.

    Args:
        page: With `window.bench`.
        count: Polygons in the scene.
        share: Of the usual time of a gesture.

    Returns:
        The 95th percentile of the frame times in ms by gesture, and of pointer-move to painted frame as `latency`.
    """
    page.evaluate("count => bench.open(count)", count)
    time.sleep(2 * _SETTLE_S)
    middle = (_VIEW[0] / 2, _VIEW[1] / 2)
    button = page.evaluate("bench.panButton")
    seconds = _GESTURE_S * share
    found: dict[str, float] = {}

    def dragged(name: str, x: float, y: float, reach: float, button: str) -> list[float]:
        page.mouse.move(x, y)
        page.mouse.down(button=button)
        frames, latencies = _watched(page, seconds, lambda turn: _circle(page, x, y, reach, turn))
        page.mouse.up(button=button)
        time.sleep(_SETTLE_S)
        found[name] = percentile(frames, 0.95)
        return latencies

    # Away from the vertex in the middle, over which the peer would drag that.
    dragged("pan", middle[0] - 320, middle[1] - 200, 180, button)
    page.evaluate("bench.fit()")
    page.mouse.move(*middle)
    found["zoom"] = percentile(_watched(page, seconds, lambda turn: _wheel(page, turn))[0], 0.95)
    page.evaluate("bench.fit()")
    page.evaluate("bench.select()")
    time.sleep(2 * _SETTLE_S)
    found["latency"] = percentile(dragged("drag", *page.evaluate("bench.vertex()"), 40, "left"), 0.95)
    return found


def strokes(page: Page, count: int, share: float = 1.0) -> tuple[float, float]:
    """Paint a mask among `count` polygons with a brush of 40 pixels of the image.

    Returns:
        The 95th percentile of the frame times in ms, and of pointer-move to painted frame.
    """
    page.evaluate("count => bench.open(count)", count)
    page.evaluate("bench.paint()")
    time.sleep(2 * _SETTLE_S)
    x, y = _VIEW[0] / 2 - 180, _VIEW[1] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    frames, latencies = _watched(page, _GESTURE_S * share, lambda turn: _circle(page, x, y, 180, turn))
    page.mouse.up()
    return percentile(frames, 0.95), percentile(latencies, 0.95)


def _circle(page: Page, x: float, y: float, reach: float, turn: float) -> None:
    angle = turn * 2 * math.pi
    page.mouse.move(x + reach * (1 - math.cos(angle)), y + reach * math.sin(angle))


def _wheel(page: Page, turn: float) -> None:
    page.mouse.wheel(0, -60 if turn % 1 < 0.5 else 60)


def _watched(page: Page, seconds: float, step: Callable[[float], None]) -> tuple[list[float], list[float]]:
    """Make a gesture of two seconds a turn; return ms of its frames and of each move until it is painted."""
    page.evaluate("bench.frames.start()")
    started_s = time.perf_counter()
    while (passed_s := time.perf_counter() - started_s) < seconds:
        step(passed_s / 2)
    # One frame more, so that what the last steps cost counts.
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    told = page.evaluate("bench.frames.stop()")
    return told["frames"] or [seconds * 1000], told["latencies"] or [seconds * 1000]


def heap_growth_mb(page: Page, changes: int = _CHANGES) -> float:
    """Return by how much the page's heap grows (10⁶ bytes, after collection) over so many changes of the image."""
    page.evaluate(_CHANGE, [_WARM_UP, 1000, _CHANGED_POLYGONS])
    before = _heap(page)
    page.evaluate(_CHANGE, [changes, 2000, _CHANGED_POLYGONS])
    return (_heap(page) - before) / 1e6


_CHANGE = """async ([changes, seed, count]) => {
    for (let n = 0; n < changes; n++) {
        await bench.open(count, seed + n);
        await new Promise(done => requestAnimationFrame(done));
    }
}"""


def _heap(page: Page) -> float:
    time.sleep(_SETTLE_S)
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return float(metrics["JSHeapUsedSize"])
