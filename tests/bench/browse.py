"""The image grid: a page of rows, a jump to any place, and scrolling 100,000 images in Chromium."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page

from appliance.settings import Settings
from appliance.store import Store, projects
from tests._many import many_images
from tests._pictures import encode, scene
from tests.bench._base import Bench, Figure, Options, figures, percentile
from tests.bench._fill import ready_folder
from tests.bench._load import drive
from tests.bench._ours import Box, serving
from tests.browser._console import chromium

__all__ = ["BENCH"]

_SIZES = (1_000, 10_000, 100_000)
_REQUESTS = 300
_ROWS = 150
"""Rows of a jump: what a screen of 1440 × 900 shows, with some above and below."""

_FRAMES = 300
_SCROLL = """(count) => new Promise((resolve) => {
    const grid = document.querySelector('.grid'), gaps = [];
    let last = performance.now();
    const frame = (now) => {
        gaps.push(now - last);
        last = now;
        grid.scrollTop += 60;
        if (gaps.length < count) requestAnimationFrame(frame);
        else resolve(gaps.slice(1));
    };
    requestAnimationFrame(frame);
})"""


def run(options: Options) -> Iterator[Figure]:
    """Fill three projects with rows, ask for them over HTTP, and scroll the largest."""
    folder = options.fresh("browse") / "data"
    token = ready_folder(folder)
    filled = _fill(folder)
    with serving(folder, token) as box:
        measured: dict[str, tuple[float, str]] = {}
        for size, (project_id, ids) in filled.items():
            measured |= _asked(box, project_id, ids, size, options.times(_REQUESTS))
        measured |= _scrolled(box, filled[_SIZES[-1]][0], options.times(_FRAMES, 60))
    yield from figures("browse", measured)


def _fill(folder: Path) -> dict[int, tuple[int, list[int]]]:
    pictures = [encode(scene(160 + 16 * n, 120), "jpeg") for n in range(5)]
    filled = {}
    with Store(folder, Settings(data=str(folder))) as store:
        for size in _SIZES:
            made = store.write(lambda tx, n=size: projects.create(tx, name=f"browse {n}", created_by=1))
            filled[size] = made.id, many_images(store, made.id, size, pictures)
    return filled


def _asked(box: Box, project_id: int, ids: list[int], size: int, count: int) -> dict[str, tuple[float, str]]:
    """Measure a page of 100 under a filter, the ids of all images, and the rows of a jump to any place."""
    path, random_ = f"/api/projects/{project_id}/images", random.Random(7)
    page = box.get(f"{path}?state=open&sort=newest&limit=100")
    found = box.get(f"{path}?text=IMG_00000&limit=100")
    starts = [random_.randrange(max(1, len(ids) - _ROWS)) for _ in range(count)]
    jumps = [box.get(f"{path}?ids={','.join(map(str, ids[at : at + _ROWS]))}") for at in starts]
    every = box.get(f"{path}/ids?sort=newest")
    return {
        f"page_ms_{size}": (drive(box.url, [page] * count).require(200).p(0.5), "ms"),
        f"find_ms_{size}": (drive(box.url, [found] * count).require(200).p(0.5), "ms"),
        f"ids_ms_{size}": (drive(box.url, [every] * max(10, count // 10)).require(200).p(0.5), "ms"),
        f"jump_ms_{size}": (drive(box.url, jumps).require(200).p(0.5), "ms"),
    }


def _scrolled(box: Box, project_id: int, frames: int) -> dict[str, tuple[float, str]]:
    with ExitStack() as stack:
        browser = stack.enter_context(chromium())
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        stack.callback(context.close)
        context.set_extra_http_headers({"Authorization": f"Bearer {box.token}"})
        page = context.new_page()
        page.goto(f"{box.url}/projects/{project_id}/images")
        page.locator(".cell img[src]").first.wait_for()
        page.wait_for_load_state("networkidle")
        session = context.new_cdp_session(page)
        session.send("Performance.enable")
        before = _script_ms(session)
        gaps = page.evaluate(_SCROLL, frames)
        script_ms = (_script_ms(session) - before) / frames
        return {
            "scroll_p95_ms_100000": (percentile(gaps, 0.95), "ms"),
            "scroll_script_ms_100000": (script_ms, "ms"),
            "end_ms_100000": (_to_the_end(page), "ms"),
        }


def _script_ms(session: CDPSession) -> float:
    metrics: list[dict[str, Any]] = session.send("Performance.getMetrics")["metrics"]
    return 1000 * next(float(one["value"]) for one in metrics if one["name"] == "ScriptDuration")


def _to_the_end(page: Page) -> float:
    """Measure from dragging the scrollbar to the end until the last image is described."""
    started_ms = page.evaluate("performance.now()")
    page.locator(".grid").evaluate("grid => { grid.scrollTop = grid.scrollHeight; }")
    page.locator('a[title="day-000/IMG_0000000.jpg"]').wait_for()
    return float(page.evaluate("performance.now()")) - float(started_ms)


BENCH = Bench(
    name="browse",
    summary="the image grid: a filtered page, a part of a name, all ids, a jump, and scrolling 100,000 images",
    run=run,
    targets={
        "page_ms_100000": "≤ 5 ms", "find_ms_100000": "≤ 5 ms", "ids_ms_100000": "≤ 100 ms",
        "jump_ms_100000": "≤ 10 ms", "scroll_p95_ms_100000": "≤ 17 ms", "end_ms_100000": "≤ 300 ms",
    },
)  # fmt: skip
