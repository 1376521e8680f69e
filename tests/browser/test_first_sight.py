"""An address of an image shows it with its annotations before the code of the page has come."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests._site import Site, box, diff, picture
from tests.browser._console import Console

LATER = "**/assets/workbench-*.js"
PIXEL = """([layer, x, y]) => {
    const canvas = document.querySelector(layer);
    const at = (share, length) => Math.floor(share * length);
    return [...canvas.getContext("2d").getImageData(at(x, canvas.width), at(y, canvas.height), 1, 1).data];
}"""
AREA = """layer => {
    const {x, y, width, height} = document.querySelector(layer).getBoundingClientRect();
    return [x, y, width, height];
}"""


class Held:
    """The answers to some requests, kept back until a test lets them come."""

    def __init__(self, page: Page, *patterns: str) -> None:
        self.waiting: list[Route] = []
        self.free = False
        for pattern in patterns:
            page.route(pattern, self._hold)

    def come(self) -> None:
        self.free = True
        for route in self.waiting:
            route.continue_()

    def _hold(self, route: Route) -> None:
        if self.free:
            route.continue_()
        else:
            self.waiting.append(route)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"device_scale_factor": 2, "color_scheme": "light"},
        {"viewport": {"width": 820, "height": 1180}, "has_touch": True, "is_mobile": True},
    ],
    ids=["desktop", "sharp", "tablet"],
)
def test_an_image_is_seen_before_the_page_where_the_page_has_it(
    site: Site, console: Console, options: dict[str, Any]
) -> None:
    console.expects("willReadFrequently")
    project_id = site.project()
    image = site.image(project_id, "first.png", picture(640, 480))
    drawn = {
        **box(site.labels(project_id)[0]["id"]),
        "geometry": {"type": "box", "x1": 160, "y1": 120, "x2": 480, "y2": 360},
    }
    site.ok(site.save(project_id, image["id"], diff(0, added=[drawn])))
    desk = console.open(site.box.url, site.people["annotator"], **options)
    held = Held(desk.page, LATER)
    page = desk.go(f"/projects/{project_id}/annotate?image={image['id']}")
    expect(page.locator(".sight .layer.shapes")).to_be_visible()
    looks = {layer: page.evaluate(PIXEL, [f".sight .layer.{layer}", 0.5, 0.5]) for layer in ("picture", "shapes")}
    assert all(pixel[3] > 0 for pixel in looks.values())
    first = page.evaluate(AREA, ".sight .layer.picture")
    assert page.evaluate(PIXEL, [".sight .layer.shapes", 0.02, 0.5])[3] == 0
    held.come()
    expect(page.locator(".sight")).to_have_count(0)
    assert page.evaluate(AREA, ".canvas .layer.picture") == first
    for layer, pixel in looks.items():
        now = page.evaluate(PIXEL, [f".canvas .layer.{layer}", 0.5, 0.5])
        assert all(abs(a - b) <= 6 for a, b in zip(pixel, now, strict=True)), (layer, pixel, now)
    expect(page.get_by_role("img", name="first.png, 1 object")).to_be_visible()


def test_what_a_page_has_to_say_is_not_covered(site: Site, console: Console) -> None:
    console.expects("404")
    project_id = site.project()
    site.image(project_id, "one.png")
    desk = console.open(site.box.url, site.people["annotator"])
    page = desk.go(f"/projects/{project_id}/annotate?image=99999999")
    expect(page.get_by_role("alert")).to_be_visible()
    page = desk.go("/projects/99999999/annotate?image=1")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator(".sight")).to_be_hidden()


def test_who_goes_elsewhere_at_once_sees_that(site: Site, console: Console) -> None:
    project_id = site.project()
    image = site.image(project_id, "one.png")
    desk = console.open(site.box.url, site.people["annotator"])
    # The picture never comes: nothing tells the page that it is there.
    Held(desk.page, "**/view", "**/rendition?*")
    page = desk.go(f"/projects/{project_id}/annotate?image={image['id']}")
    page.get_by_role("navigation", name="Project").get_by_role("link", name="Images").click()
    expect(page.get_by_role("link", name="one.png")).to_be_visible()
    expect(page.locator(".sight")).to_be_hidden()
