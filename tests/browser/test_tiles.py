"""A picture of 20,000 pixels a side on the canvas: prepared, sharp at full zoom, and drawn on exactly."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from appliance.jobs.tiles import CACHED, key_of
from tests._pictures import encode
from tests._site import Site, diff
from tests.browser._console import Console
from tests.jobs._service import Gate

WIDTH, HEIGHT = 20_480, 1_600
MARK = (19_500, 1_000)
"""Where a red square of 8 pixels begins, alone on grey."""

_FIT_MARGIN = 12
_WHEEL_ZOOM = 0.0022
_PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def wide() -> bytes:
    """Grey with a faint grid, and the mark."""
    pixels = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    pixels[::64] = pixels[:, ::64] = 130
    x, y = MARK
    pixels[y : y + 8, x : x + 8] = (230, 20, 20)
    return encode(pixels, "png", compress_level=1)


@pytest.fixture
def gate(site: Site) -> Iterator[Gate]:
    """Holds the lane of the tiles until its job `hold` is let through."""
    service = site.box.appliance.jobs
    gate = Gate(service)
    job = service.submit("gate", {"name": "hold"})
    gate.reached("hold", 0)
    yield gate
    gate.let("hold")
    assert service.wait(job.id, 30).state == "done"


class Looking:
    """A canvas whose camera is known, because the test has moved it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        area = page.locator(".canvas").bounding_box()
        assert area is not None
        self.left, self.top = area["x"], area["y"]
        room = (area["width"] - 2 * _FIT_MARGIN, area["height"] - 2 * _FIT_MARGIN)
        self.scale = min(room[0] / WIDTH, room[1] / HEIGHT)
        self.x = (area["width"] - WIDTH * self.scale) / 2
        self.y = (area["height"] - HEIGHT * self.scale) / 2

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of the image under one of the page."""
        return (x - self.left - self.x) / self.scale, (y - self.top - self.y) / self.scale

    def to_page(self, x: float, y: float) -> tuple[float, float]:
        return x * self.scale + self.x + self.left, y * self.scale + self.y + self.top

    def zoom(self, at: tuple[float, float], scale: float) -> None:
        """Turn the wheel over a place of the page until the picture has the scale, nearly."""
        delta = round(-math.log(scale / self.scale) / _WHEEL_ZOOM)
        self.page.mouse.move(*at)
        self.page.mouse.wheel(0, delta)
        ratio = math.exp(-delta * _WHEEL_ZOOM)
        x, y = at[0] - self.left, at[1] - self.top
        self.x, self.y = x - (x - self.x) * ratio, y - (y - self.y) * ratio
        self.scale *= ratio
        expect(self.page.get_by_text(f"{round(self.scale * 100)} %", exact=True)).to_be_visible()

    def red(self, x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
        """Return which pixels of a part of the page are red, rows first."""
        clip: Any = {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}
        with Image.open(io.BytesIO(self.page.screenshot(clip=clip))) as shot:
            pixels = np.asarray(shot.convert("RGB")).astype(int)
        return (pixels[..., 0] > 180) & (pixels[..., 1] < 80)


def sharp(looking: Looking) -> tuple[int, int, int, int]:
    """Wait until the mark shows as a sharp square; return its edges on the page: left, top, right, bottom."""
    x, y = (int(value) for value in looking.to_page(*MARK))
    for _ in range(200):
        red = looking.red(x - 20, y - 20, x + 40, y + 40)
        if red.any():
            columns, rows = np.flatnonzero(red.any(0)), np.flatnonzero(red.any(1))
            edges = (columns[0] + x - 20, rows[0] + y - 20, columns[-1] + 1 + x - 20, rows[-1] + 1 + y - 20)
            if red.sum() >= 0.9 * (edges[2] - edges[0]) * (edges[3] - edges[1]):
                return edges
    raise AssertionError("the mark never became sharp")


def test_a_very_large_picture_is_prepared_then_sharp_and_drawn_on_exactly(
    site: Site, console: Console, gate: Gate, wide: bytes
) -> None:
    project_id = site.project()
    image = site.image(project_id, "wide.png", wide)
    label = site.labels(project_id)[0]
    # A polygon far from the origin, at quarters of a pixel.
    ring = [20_000.25, 900.75, 20_100.5, 900.25, 20_050.125, 980.0625]
    drawn = {"id": "far-from-origin", "label_id": label["id"], "geometry": {"type": "polygon", "parts": [[ring]]}}
    site.ok(site.save(project_id, image["id"], diff(0, added=[drawn])))

    desk = console.open(site.box.url, site.people["annotator"])
    page = desk.go(f"/projects/{project_id}/annotate?image={image['id']}")
    desk.objects(1)
    expect(page.get_by_text("Preparing tiles · waiting", exact=True)).to_be_visible()
    gate.let("hold")
    expect(page.get_by_text("Preparing tiles")).to_have_count(0, timeout=_PATIENCE_MS)

    looking = Looking(page)
    at = tuple(round(value) for value in looking.to_page(*MARK))
    looking.zoom((at[0], at[1]), 1.0)
    edges = sharp(looking)
    expected = (*looking.to_page(*MARK), *looking.to_page(MARK[0] + 8, MARK[1] + 8))
    assert edges == pytest.approx(expected, abs=1.01)

    # A box around the mark, at 100 %.
    page.keyboard.press("b")
    expect(page.get_by_role("button", name="Box", exact=True)).to_have_attribute("aria-pressed", "true")
    start, end = (at[0] - 30, at[1] - 40), (at[0] + 50, at[1] + 60)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()
    desk.objects(2)
    desk.saved(2)
    found = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images/{image['id']}/annotations"))
    kept = {one["geometry"]["type"]: one["geometry"] for one in found["annotations"]}
    assert kept["polygon"]["parts"] == [[ring]]
    box = [kept["box"][side] for side in ("x1", "y1", "x2", "y2")]
    assert box == pytest.approx([*looking.to_image(*start), *looking.to_image(*end)], abs=1e-6)

    # Far closer than a pixel each: still sharp, and the box is where it was drawn.
    page.keyboard.press("v")
    looking.zoom((at[0], at[1]), 4.0)
    edges = sharp(looking)
    assert edges[2] - edges[0] == pytest.approx(8 * looking.scale, abs=4)


def test_tiles_that_are_gone_are_made_again_while_somebody_looks(site: Site, console: Console, wide: bytes) -> None:
    console.expects(r"404 .*/tiles/\d+/\d+/\d+")
    project_id = site.project()
    image = site.image(project_id, "wide.png", wide)
    store, service = site.box.appliance.store, site.box.appliance.jobs
    facts = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images/{image['id']}/tiles"))
    if facts["job"]:
        assert service.wait(facts["job"]["id"], 60).state == "done"
    desk = console.open(site.box.url, site.people["annotator"])
    page = desk.go(f"/projects/{project_id}/images/{image['id']}")
    desk.objects(0)
    expect(page.get_by_text("Preparing tiles")).to_have_count(0)
    store.cache.forget(CACHED, key_of(image["sha256"]))
    looking = Looking(page)
    at = tuple(round(value) for value in looking.to_page(*MARK))
    finest = facts["levels"] - 1
    with page.expect_response(lambda answer: f"/tiles/{finest}/" in answer.url and answer.status == 200):
        looking.zoom((at[0], at[1]), 1.0)
    sharp(looking)
    assert store.cache.get(CACHED, key_of(image["sha256"])) is not None
