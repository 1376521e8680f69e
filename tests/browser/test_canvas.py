"""The canvas in pixels: shapes are where they belong after every gesture, and look as what they are."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from appliance.records import Annotation
from appliance.store import Transaction, annotations, images
from appliance.store.history import Changes
from tests._pictures import encode
from tests._site import Site, diff
from tests.browser._console import Console

WIDTH, HEIGHT = 1_200, 900
_MARGIN = 12
_GREY = 90
_TRIES = 200


def polygon(name: str, label: int, points: list[float]) -> dict[str, Any]:
    return {"id": f"canvas-{name}", "label_id": label, "geometry": {"type": "polygon", "parts": [[points]]}}


def _prediction(shape: dict[str, Any]) -> Annotation:
    return msgspec.convert({**shape, "source": "model", "confidence": 0.6}, Annotation)


def square(x: float, y: float, side: float) -> list[float]:
    return [x, y, x + side, y, x + side, y + side, x, y + side]


class Looking:
    """A canvas whose camera is known, because the test has moved it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.canvas: Locator = page.locator(".canvas")
        area = self.canvas.bounding_box()
        assert area is not None
        self.left, self.top, self.width, self.height = area["x"], area["y"], area["width"], area["height"]
        self.scale = min((self.width - 2 * _MARGIN) / WIDTH, (self.height - 2 * _MARGIN) / HEIGHT)
        self.x = (self.width - WIDTH * self.scale) / 2
        self.y = (self.height - HEIGHT * self.scale) / 2

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of the page over one of the image."""
        return self.left + self.x + x * self.scale, self.top + self.y + y * self.scale

    def pan(self, dx: int, dy: int) -> None:
        """Drag the picture by the middle button and take the pointer away."""
        x, y = self.left + self.width / 2, self.top + self.height / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down(button="middle")
        self.page.mouse.move(x + dx, y + dy, steps=6)
        self.page.mouse.up(button="middle")
        self.page.mouse.move(self.left + 2, self.top + 2)
        self.x, self.y = self.x + dx, self.y + dy

    def colour(self, x: float, y: float, half: int = 2) -> np.ndarray:
        """Return the mean RGB of a small square around a place of the image."""
        at = self.place(x, y)
        return self.shot(at[0] - half, at[1] - half, 2 * half + 1, 2 * half + 1).reshape(-1, 3).mean(0)

    def shot(self, x: float, y: float, width: float, height: float) -> np.ndarray:
        """Return ``(height, width, 3)`` pixels of the page."""
        clip: Any = {"x": round(x), "y": round(y), "width": round(width), "height": round(height)}
        with Image.open(io.BytesIO(self.page.screenshot(clip=clip, scale="css"))) as shot:
            return np.asarray(shot.convert("RGB")).astype(int)

    def until(self, holds: Callable[[], bool]) -> None:
        """Look again until it holds: the tiles of the shapes come when they are drawn."""
        for _ in range(_TRIES):
            if holds():
                return
        raise AssertionError("the canvas never came to show it")

    def yellow(self, x: float, y: float) -> bool:
        """Tell whether a yellow line runs near a place of the image."""
        red, green, blue = self.shot(*(value - 3 for value in self.place(x, y)), 7, 7).reshape(-1, 3).T
        return bool(((red > 170) & (green > 150) & (blue < 90)).any())


@pytest.fixture
def grey() -> bytes:
    return encode(np.full((HEIGHT, WIDTH, 3), _GREY, np.uint8), "png")


def opened(
    site: Site,
    console: Console,
    picture: bytes,
    shapes: Callable[[int], list[dict[str, Any]]],
    guessed: Callable[[int], list[dict[str, Any]]] = lambda _: [],
    *,
    without: str = "",
    **options: Any,
) -> Looking:
    """Open an image with these shapes on it, the view at rest; `guessed` are predictions.

    `without` is a part of the browser that the page shall not find; `options` are those of its context.
    """
    project_id = site.project()
    label = site.labels(project_id)[0]
    site.ok(site.people["owner"].patch(f"/api/projects/{project_id}/labels/{label['id']}", json={"color": "#FFE600"}))
    image = site.image(project_id, "grey.png", picture)
    drawn = shapes(label["id"])
    site.ok(site.save(project_id, image["id"], diff(0, added=drawn)))
    predictions = [_prediction(one) for one in guessed(label["id"])]

    def predict(tx: Transaction) -> None:
        changes = Changes(put=[(None, one) for one in predictions])
        annotations.apply(tx, images.get(tx, project_id, image["id"]), changes, diff_id="canvas-predicted")

    site.box.appliance.store.write(predict)
    desk = console.open(site.box.url, site.people["annotator"], **options)
    if without:
        desk.page.add_init_script(f"delete globalThis.{without}")
    page = desk.go(f"/projects/{project_id}/annotate?image={image['id']}")
    desk.objects(len(drawn) + len(predictions))
    page.mouse.move(*(value + 2 for value in (0, 0)))
    return Looking(page)


@pytest.mark.parametrize(
    ("without", "options"),
    [("", {}), ("OffscreenCanvas", {}), ("", {"device_scale_factor": 2})],
    ids=["by a worker", "beside the page", "on a dense screen"],
)
def test_shapes_stay_on_the_picture_when_it_is_panned_zoomed_and_they_are_moved(
    site: Site, console: Console, grey: bytes, without: str, options: dict[str, Any]
) -> None:
    one = square(300, 300, 200)
    looking = opened(site, console, grey, lambda label: [polygon("one", label, one)], without=without, **options)
    assert any("raster-worker" in worker.url for worker in looking.page.workers) == (without != "OffscreenCanvas")
    edges = [(300, 400), (500, 400), (400, 300), (400, 500)]
    looking.until(lambda: all(looking.yellow(*place) for place in edges))
    assert not looking.yellow(250, 400)
    assert looking.colour(400, 400)[0] == pytest.approx(_GREY + 0.12 * (255 - _GREY), abs=4)

    looking.pan(-140, 90)
    looking.until(lambda: all(looking.yellow(*place) for place in edges))
    looking.page.keyboard.press("Shift+)")
    expect(looking.page.get_by_text("100 %", exact=True)).to_be_visible()
    looking.scale = 1.0
    looking.x, looking.y = (looking.width - WIDTH) / 2, (looking.height - HEIGHT) / 2
    looking.until(lambda: all(looking.yellow(*place) for place in edges))

    # Selected, then dragged: nothing is left behind.
    looking.page.mouse.click(*looking.place(400, 400))
    looking.page.mouse.move(*looking.place(400, 400))
    looking.page.mouse.down()
    looking.page.mouse.move(*looking.place(460, 440), steps=5)
    moved = [(x + 60, y + 40) for x, y in edges]
    # Under the pointer already: its edges show where it is by now, and nowhere else.
    looking.until(lambda: all(looking.yellow(*place) for place in moved) and not looking.yellow(300, 320))
    looking.page.mouse.up()
    looking.page.keyboard.press("Escape")
    looking.page.mouse.move(looking.left + 2, looking.top + 2)
    looking.until(lambda: all(looking.yellow(*place) for place in moved) and not looking.yellow(300, 320))
    assert looking.colour(330, 320)[0] == pytest.approx(_GREY, abs=2)


def test_an_image_opened_by_its_address_asks_for_each_thing_once(site: Site, console: Console, grey: bytes) -> None:
    """What the page's headers ask for ahead is what its script takes: nothing comes twice."""
    project_id = site.project()
    image = site.image(project_id, "grey.png", grey)
    desk = console.open(site.box.url, site.people["annotator"])
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url.removeprefix(site.box.url)))
    page = desk.go(f"/projects/{project_id}/annotate?image={image['id']}")
    desk.objects(0)
    expect(page.get_by_text("1 of 1")).to_be_visible()
    at = f"/api/projects/{project_id}/images/{image['id']}"
    once = ["/api/session", f"/api/projects/{project_id}", f"{at}/view"]
    assert {address: asked.count(address) for address in once} == dict.fromkeys(once, 1)
    # Once more when the box is followed: they may have changed in between.
    assert asked.count(f"{at}/annotations") <= 2
    assert not [address for address in asked if "/rendition" in address]
    picture = page.evaluate("""() => {
        const canvas = document.querySelector(".canvas .layer.picture");
        return [...canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data];
    }""")
    assert picture == [_GREY, _GREY, _GREY, 255]


def test_a_large_picture_shows_by_its_copy_until_all_of_its_pixels_are_there(site: Site, console: Console) -> None:
    pixels = np.full((1_800, 2_600, 3), _GREY, np.uint8)
    # Stripes of a pixel in the middle: of the copy, half as large, none can be seen.
    pixels[850:950, 1_250:1_350:2] = 255
    pixels[850:950, 1_251:1_350:2] = 0
    project_id = site.project()
    image = site.image(project_id, "large.jpg", encode(pixels, "jpeg", quality=100, subsampling=0))
    desk = console.open(site.box.url, site.people["annotator"])
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url.removeprefix(site.box.url)))
    page = desk.go(f"/projects/{project_id}/annotate?image={image['id']}")
    picture = page.locator(".canvas .layer.picture")
    expect(picture).to_have_attribute("data-width", re.compile("1300|2600"))
    first = [address for address in asked if address.endswith("/view") or "/rendition" in address]
    assert first[0].endswith("/view")
    # What is on the bench stays on it: nothing is opened anew.
    desk.objects(0)
    expect(picture).to_have_attribute("data-width", "2600")
    page.keyboard.press("Shift+)")
    expect(page.get_by_text("100 %", exact=True)).to_be_visible()
    spread = """canvas => {
        const {width, height} = canvas;
        const row = canvas.getContext("2d").getImageData(width / 2 - 20, height / 2, 40, 1).data;
        const grey = [...row].filter((_, n) => n % 4 === 0);
        return Math.max(...grey) - Math.min(...grey);
    }"""
    looking = Looking(page)
    looking.until(lambda: picture.evaluate(spread) > 200)


def test_a_picture_that_fits_goes_on_fitting_when_the_window_changes(
    site: Site, console: Console, grey: bytes
) -> None:
    looking = opened(site, console, grey, lambda label: [polygon("one", label, square(300, 300, 300))])
    looking.page.keyboard.press("f")
    for size in ({"width": 1_000, "height": 640}, {"width": 1_300, "height": 820}):
        looking.page.set_viewport_size(size)  # type: ignore[arg-type]
        looking.until(lambda: Looking(looking.page).yellow(300, 450))
        now = Looking(looking.page)
        assert all(now.yellow(*edge) for edge in ((300, 450), (600, 450), (450, 300), (450, 600)))
        assert now.colour(450, 700)[0] == pytest.approx(_GREY, abs=2)


def test_no_edge_is_blank_while_the_picture_moves(site: Site, console: Console, grey: bytes) -> None:
    grid = [square(x, y, 60) for x in range(20, WIDTH - 60, 90) for y in range(20, HEIGHT - 60, 90)]
    looking = opened(
        site, console, grey, lambda label: [polygon(f"g{n}", label, points) for n, points in enumerate(grid)]
    )
    page = looking.page
    looking.until(lambda: looking.yellow(20, 50) and looking.yellow(1_160, 50))
    page.mouse.move(looking.left + looking.width / 2, looking.top + looking.height / 2)
    page.mouse.wheel(0, -900)
    page.mouse.down(button="middle")
    # Shot while it goes on, not after it has come to rest: everywhere in view are lines.
    for step in range(8):
        page.mouse.move(looking.left + looking.width / 2 - 70 * step, looking.top + looking.height / 2)
        shot = looking.shot(looking.left + 4, looking.top + 4, looking.width - 8, looking.height - 8)
        yellow = (shot[..., 0] > 150) & (shot[..., 1] > 130) & (shot[..., 2] < 110)
        shares = [part.mean() for part in np.array_split(yellow, 4, axis=1)]
        assert min(shares) > 0.0005, (step, shares)
    page.mouse.up(button="middle")


def test_predictions_are_dashed_and_unfilled_and_what_is_hidden_is_not_drawn(
    site: Site, console: Console, grey: bytes
) -> None:
    looking = opened(
        site,
        console,
        grey,
        lambda label: [polygon("drawn", label, square(100, 100, 300))],
        lambda label: [polygon("guessed", label, square(600, 100, 300))],
    )
    looking.until(lambda: looking.yellow(250, 100))

    def along(x1: float, x2: float, y: float) -> np.ndarray:
        start, end = looking.place(x1, y), looking.place(x2, y)
        strip = looking.shot(start[0], start[1] - 1, end[0] - start[0], 3).max(0)
        on: np.ndarray = (strip[:, 0] > 150) & (strip[:, 2] < 110)
        return on

    assert along(120, 380, 100).all()
    page = looking.page
    looking.until(lambda: looking.colour(250, 250)[0] > _GREY + 10)
    turns = int(np.abs(np.diff(along(620, 880, 100).astype(int))).sum())
    assert turns > 20
    assert looking.colour(750, 250)[0] == pytest.approx(_GREY, abs=2)

    page.keyboard.press("h")
    looking.until(lambda: not looking.yellow(250, 100) and not looking.yellow(750, 100))
    assert looking.colour(250, 250)[0] == pytest.approx(_GREY, abs=2)
    page.keyboard.press("h")
    looking.until(lambda: looking.yellow(250, 100))
