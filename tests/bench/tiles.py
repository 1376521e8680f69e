"""A picture of 200 megapixels: how long until it is tiled, in how much memory, and how fast it opens."""

from __future__ import annotations

import math
import random
import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from appliance.pyramid import Pyramid
from appliance.settings import Settings
from appliance.store import Store, sessions, users
from tests.bench._base import Bench, Figure, Options, figures
from tests.bench._fill import ready_folder
from tests.bench._load import drive
from tests.bench._ours import Box, serving

__all__ = ["BENCH"]

_SIZE = (20_000, 10_000)
_PATCH = 500
_TILES = 600
_CONNECTIONS = 6
"""As many as the interface asks for at a time."""

_OPENINGS = 5
_SAMPLE_S = 0.02
_QUIET_MS = 400

_WATCH = """
const page = { shown: 0, came: 0 };
globalThis.opening = page;
globalThis.Worker = class extends Worker {
  constructor(...facts) {
    super(...facts);
    this.addEventListener("message", () => (page.came = performance.now()));
  }
};
const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const look = () => {
  const canvas = document.querySelector(".canvas canvas");
  if (canvas && canvas.width > 1) {
    probe.clearRect(0, 0, 1, 1);
    probe.drawImage(canvas, canvas.width / 2, canvas.height / 2, 1, 1, 0, 0, 1, 1);
    if (probe.getImageData(0, 0, 1, 1).data[3] > 0) page.shown = performance.now();
  }
  if (!page.shown) requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""Notes when the canvas first shows something, and when the last message of a worker came."""

_QUIET = """
(quietMs) => new Promise((done) => {
  const look = () => {
    const { shown, came } = globalThis.opening;
    if (shown && came && performance.now() - came > quietMs) done([shown, came]);
    else requestAnimationFrame(look);
  };
  look();
})
"""
"""Resolves with both when no message has come for a while."""


def run(options: Options) -> Iterator[Figure]:
    """Send the picture, wait for its tiles, fetch some at random, then open it in a browser."""
    folder = options.fresh("tiles") / "data"
    token = ready_folder(folder)
    secret = _session(folder)
    size = tuple(max(8_200, round(side * math.sqrt(options.scale))) for side in _SIZE)
    picture = _picture(folder.parent / "huge.jpg", (size[0], size[1]))
    with serving(folder, token) as box:
        with _peak(box.process.pid) as peak:
            image, job, admitted_s = _tiled(box, picture)
        tiling_s = (job["finished_at_ms"] - job["started_at_ms"]) / 1000
        yield from figures("tiles", {"admit_s": (admitted_s, "s"), "tile_s": (tiling_s, "s")})
        yield from figures("tiles", {"peak_mb": (peak[0], "MB")})
        yield from figures("tiles", {"tile_p95_ms": (_tiles(box, options, image), "ms")})
        shown_ms, sharp_ms = _opened(box, secret, image)
    yield from figures("tiles", {"open_ms": (shown_ms, "ms"), "sharp_ms": (sharp_ms, "ms")})


def _session(folder: Path) -> str:
    """Sign the administrator in and return the session's secret."""
    with Store(folder, Settings(data=str(folder))) as store:
        user = store.read(lambda reading: users.listed(reading)).items[0]
        return store.write(lambda tx: sessions.start(tx, user.id))


def _picture(path: Path, size: tuple[int, int]) -> Path:
    import pyvips

    patch = pyvips.Image.gaussnoise(_PATCH, _PATCH, mean=120, sigma=25).cast("uchar").copy_memory()
    colours = patch.bandjoin([patch.rot90(), patch.rot180()]).copy(interpretation="srgb").copy_memory()
    whole = colours.replicate(-(-size[0] // _PATCH), -(-size[1] // _PATCH)).crop(0, 0, *size)
    whole.jpegsave(str(path), Q=85)
    return path


@contextmanager
def _peak(pid: int) -> Iterator[list[float]]:
    """Watch the children of a process; the list holds the most any of them had to itself, in MB."""
    peak, over = [0.0], threading.Event()

    def sample() -> None:
        while not over.wait(_SAMPLE_S):
            for child in psutil.Process(pid).children(recursive=True):
                try:
                    facts = child.memory_info()
                except psutil.NoSuchProcess:
                    continue
                peak[0] = max(peak[0], (facts.rss - facts.shared) / 1e6)

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        over.set()
        sampler.join()


def _tiled(box: Box, picture: Path) -> tuple[dict[str, Any], dict[str, Any], float]:
    """Send the picture; return its image, the job that tiled it, and the seconds until it was admitted."""
    url = f"/api/projects/{box.project('tiles')}/images"
    content = picture.read_bytes()
    began_s = time.perf_counter()
    image = box.ask("POST", url, params={"name": picture.name}, content=content)
    admitted_s = time.perf_counter() - began_s
    (job,) = [one for one in box.ask("GET", "/api/jobs")["items"] if one["kind"] == "tiles"]
    return image, box.finished(job), admitted_s


def _tiles(box: Box, options: Options, image: dict[str, Any]) -> float:
    """Fetch tiles of the finest level at random places; return the 95th percentile in milliseconds."""
    pyramid, random_ = Pyramid(image["width"], image["height"]), random.Random(3)
    level = pyramid.levels - 1
    columns, rows = pyramid.grid(level)
    asked = [
        box.get(f"{_address(image)}/{level}/{random_.randrange(columns)}/{random_.randrange(rows)}")
        for _ in range(options.times(_TILES))
    ]
    return drive(box.url, asked, _CONNECTIONS).require(200).p(0.95)


def _address(image: dict[str, Any]) -> str:
    return f"/api/projects/{image['project_id']}/images/{image['id']}/tiles"


def _opened(box: Box, secret: str, image: dict[str, Any]) -> tuple[float, float]:
    """Load the image's page; return the median ms until the picture shows and until its last tile came."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise RuntimeError("there is no Chromium on the path")
    shown, sharp = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "pixelqueue_session", "value": secret, "url": box.url}])
        context.add_init_script(_WATCH)
        page = context.new_page()
        page.goto(f"{box.url}/projects/{image['project_id']}/images")
        for _ in range(_OPENINGS):
            page.goto(f"{box.url}/projects/{image['project_id']}/images/{image['id']}")
            first, last = page.evaluate(_QUIET, _QUIET_MS)
            shown.append(first)
            sharp.append(last)
        browser.close()
    return statistics.median(shown), statistics.median(sharp)


BENCH = Bench(
    name="tiles",
    summary="tiles of a picture of 200 megapixels: made, fetched, opened in a browser",
    run=run,
    targets={"open_ms": "≤ 1,000 ms", "peak_mb": "≤ 400 MB"},
)
