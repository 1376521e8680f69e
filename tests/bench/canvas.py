"""The canvas: frames while panning, zooming and dragging, first paint, and memory; beside react-konva."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Browser, Page

from tests.bench._base import Bench, Figure, Options, figures, percentile
from tests.bench._canvas import chromium, gestures, heap_growth_mb, our_page, peer_page, served, strokes
from tests.bench._fill import ready_folder
from tests.bench._ours import Box, serving
from tests.bench._peers import PeerMissing

__all__ = ["BENCH"]

_PEER = "react-konva"
_SIZES = (5_000, 20_000)
_CHANGES = 500
_WIDTH, _HEIGHT = 4_000, 3_000
_ANNOTATIONS = 1_000
_VERTICES = 24
_TURNS = 5

_PAINTED = """before => new Promise((done, fail) => {
    const until = performance.now() + 30000;
    const look = () => {
        const at = name => {
            for (const canvas of document.querySelectorAll(`.stage .layer.${name}`)) {
                if (!canvas.width) continue;
                const data = canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
                if (data[3]) return data.slice(0, 3).map(value => value >> 4).join();
            }
            return "";
        };
        const now = [at("picture"), at("shapes")];
        if (now.every((value, n) => value && value !== before[n])) done({now, ms: performance.now()});
        else if (performance.now() > until) fail(new Error(`nothing new was painted over ${before}`));
        else requestAnimationFrame(look);
    };
    look();
})"""
"""Waits until the middle of picture and shapes shows something that it did not show before."""

_WHOLE = """width => new Promise(done => {
    const there = () => document.querySelector(".canvas .layer.picture")?.dataset.width === String(width);
    const look = () => there() ? done(performance.now()) : requestAnimationFrame(look);
    look();
})"""
"""Waits until the picture is drawn from all of its pixels."""


def run(options: Options) -> Iterator[Figure]:
    """Measure ours, then the peer with the same scene and the same gestures, then first paint on a served box."""
    with chromium() as browser:
        if not options.only.startswith("first_paint"):
            yield from _beside(browser, options)
        yield from figures("canvas", {name: (value, "ms") for name, value in _first_paints(browser, options).items()})


def _beside(browser: Browser, options: Options) -> Iterator[Figure]:
    changes = options.times(_CHANGES, least=20)
    built = our_page(options.fresh("canvas"))
    with served(browser, built) as page:
        ours = _measured(page, options, changes)
    yield from figures("canvas", {name: (value, "ms") for name, value in _alone(browser, built, options).items()})
    theirs, reason = _theirs(browser, options, changes) if options.peers else (None, None)
    yield from figures("canvas", {name: (value, _unit(name)) for name, value in ours.items()}, _PEER, theirs, reason)


def _alone(browser: Browser, built: Path, options: Options) -> dict[str, float]:
    """Paint with a brush, and pan on a screen with four times the pixels; the peer has neither."""
    share = max(0.4, min(1, options.scale))
    with served(browser, built) as page:
        frame, latency = strokes(page, _SIZES[0], share)
    with served(browser, built, ratio=2) as page:
        sharp = gestures(page, _SIZES[0], share)
    return {
        "brush_p95_ms_5000": frame,
        "brush_latency_p95_ms_5000": latency,
        "pan_p95_ms_5000_dpr2": sharp["pan"],
        "zoom_p95_ms_5000_dpr2": sharp["zoom"],
        "drag_p95_ms_5000_dpr2": sharp["drag"],
    }


def _unit(name: str) -> str:
    return "MB" if name.startswith("heap") else "ms"


def _measured(page: Page, options: Options, changes: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for size in _SIZES:
        measured = gestures(page, size, max(0.4, min(1, options.scale)))
        for name in ("pan", "zoom", "drag"):
            found[f"{name}_p95_ms_{size}"] = measured[name]
        if size == _SIZES[0]:
            found[f"drag_latency_p95_ms_{size}"] = measured["latency"]
    found["heap_growth_mb"] = heap_growth_mb(page, changes)
    return found


def _theirs(browser: Browser, options: Options, changes: int) -> tuple[dict[str, float] | None, str | None]:
    try:
        built = peer_page(options.fresh("canvas-peer"))
    except PeerMissing as error:
        return None, str(error)
    with served(browser, built) as page:
        return _measured(page, options, changes), None


def _first_paints(browser: Browser, options: Options) -> dict[str, float]:
    """Open an image with 1,000 annotations by its address, then go to the next older one, which is fetched ahead."""
    folder = options.fresh("canvas-box") / "data"
    token = ready_folder(folder)
    with serving(folder, token) as box:
        project_id, image_ids = _fill(box)
        opened, whole, switched = [], [], []
        for _ in range(_TURNS):
            context = browser.new_context(
                viewport={"width": 1600, "height": 900}, extra_http_headers={"Authorization": f"Bearer {token}"}
            )
            page = context.new_page()
            page.goto(f"{box.url}/projects/{project_id}/annotate?image={image_ids[-1]}", wait_until="commit")
            first = page.evaluate(_PAINTED, ["", ""])
            opened.append(first["ms"])
            whole.append(page.evaluate(_WHOLE, _WIDTH))
            page.wait_for_load_state("networkidle")
            time.sleep(1)
            page.evaluate("addEventListener('keydown', event => (window.pressed = event.timeStamp), {capture: true})")
            waiting = page.evaluate_handle(f"before => ({{ painted: ({_PAINTED})(before) }})", first["now"])
            page.keyboard.press("d")
            switched.append(page.evaluate("async held => (await held.painted).ms - window.pressed", waiting))
            context.close()
        clicked = [_clicked(browser, f"{box.url}/projects/{project_id}/images", token) for _ in range(_TURNS)]
    return {
        "first_paint_ms_1000": percentile(opened, 0.5),
        "first_paint_clicked_ms_1000": percentile(clicked, 0.5),
        "first_paint_whole_ms_1000": percentile(whole, 0.5),
        "first_paint_prefetched_ms_1000": percentile(switched, 0.5),
    }


def _clicked(browser: Browser, grid: str, token: str) -> float:
    """Return the time from a click on an image in the grid until it is painted, in milliseconds."""
    context = browser.new_context(
        viewport={"width": 1600, "height": 900}, extra_http_headers={"Authorization": f"Bearer {token}"}
    )
    page = context.new_page()
    page.goto(grid, wait_until="networkidle")
    time.sleep(1)
    page.evaluate("addEventListener('click', event => (window.pressed = event.timeStamp), {capture: true})")
    waiting = page.evaluate_handle(f"() => ({{ painted: ({_PAINTED})(['', '']) }})")
    page.get_by_role("link", name=f"{_TURNS}.jpg").click()
    ms = page.evaluate("async held => (await held.painted).ms - window.pressed", waiting)
    context.close()
    return float(ms)


def _fill(box: Box) -> tuple[int, list[int]]:
    """Make a project of images that all can be told apart in their middle, each with its annotations."""
    project_id = box.project("canvas")
    project = f"/api/projects/{project_id}"
    label_ids = [int(box.ask("POST", f"{project}/labels", json={"name": f"label {n}"})["id"]) for n in range(10)]
    image_ids = []
    for number in range(_TURNS + 3):
        sent = box.ask("POST", f"{project}/images", params={"name": f"{number}.jpg"}, content=_jpeg(number))
        image_ids.append(int(sent["id"]))
        body = {"diff_id": f"canvas-{number}", "revision": 0, "added": _annotations(number, label_ids)}
        box.ask("POST", f"{project}/images/{sent['id']}/annotations", json=body)
    return project_id, image_ids


def _jpeg(number: int) -> bytes:
    random_ = np.random.default_rng(number)
    coarse = random_.integers(40, 200, (_HEIGHT // 20, _WIDTH // 20, 3)).astype(np.uint8)
    pixels = cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    x, y = _WIDTH // 2, _HEIGHT // 2
    pixels[y - 60 : y + 60, x - 60 : x + 60] = (40 * (number % 6) + 20, 90, 60)
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 88])[1])


def _annotations(number: int, label_ids: list[int]) -> list[dict[str, Any]]:
    random_ = random.Random(number)
    return [
        {
            "id": f"canvas-{number:03d}-{n:04d}",
            "label_id": label_ids[(n + number) % len(label_ids)],
            "geometry": {"type": "polygon", "parts": [[_ring(random_, n)]]},
        }
        for n in range(_ANNOTATIONS)
    ]


def _ring(random_: random.Random, n: int) -> list[float]:
    radius = 200.0 if n == 0 else random_.uniform(15, 55)
    x, y = _WIDTH / 2, _HEIGHT / 2
    if n > 0:
        x, y = random_.uniform(60, _WIDTH - 60), random_.uniform(60, _HEIGHT - 60)
    turns = np.arange(_VERTICES) / _VERTICES * 2 * np.pi
    reach = radius * (1 if n == 0 else np.array([random_.uniform(0.7, 1) for _ in turns]))
    ring = np.stack([x + np.cos(turns) * reach, y + np.sin(turns) * reach], axis=1)
    return [float(value) for value in ring.ravel()]


BENCH = Bench(
    name="canvas",
    summary="frames while panning, zooming and dragging among polygons, first paint, memory; beside react-konva",
    run=run,
    targets={
        **{f"{name}_p95_ms_5000": "≤ 17 ms, ≥ 10 × react-konva" for name in ("pan", "zoom", "drag")},
        **{f"{name}_p95_ms_20000": "≤ 33 ms" for name in ("pan", "zoom", "drag")},
        "drag_latency_p95_ms_5000": "≤ 20 ms", "first_paint_ms_1000": "≤ 300 ms",
        "first_paint_prefetched_ms_1000": "≤ 50 ms", "brush_p95_ms_5000": "≤ 17 ms", "heap_growth_mb": "flat",
    },
)  # fmt: skip
