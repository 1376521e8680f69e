"""Smart segment in the browser: a real picture, answered by the built-in segmenter."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from appliance.geometry.polygon import Polygon
from tests._site import Site
from tests.browser._console import Console, Desk


@pytest.fixture
def desk(site: Site, console: Console, pictures: list[bytes]) -> tuple[Desk, str]:
    """A photograph on the desk, and the address of what is kept of it."""
    project_id = site.project(labels=("thing",))
    image = site.image(project_id, "photograph.jpg", pictures[2])
    opened = console.open(site.box.url, site.people["annotator"])
    opened.go(f"/projects/{project_id}/annotate?image={image['id']}")
    opened.saved(0)
    return opened, f"/api/projects/{project_id}/images/{image['id']}/annotations"


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where a share of the canvas lies on the page."""
    area = page.locator(".canvas").bounding_box()
    assert area is not None
    return area["x"] + area["width"] * x, area["y"] + area["height"] * y


def kept(site: Site, url: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = site.people["owner"].get(url).json()["annotations"]
    return [item["geometry"] for item in items]


def test_clicks_become_a_polygon_in_one_step(desk: tuple[Desk, str], site: Site) -> None:
    opened, url = desk
    page = opened.page
    page.keyboard.press("s")
    bar = page.get_by_role("group", name="Smart segment")
    expect(bar.get_by_text("Click an object, or drag a box around it")).to_be_visible()
    page.mouse.click(*place(page, 0.5, 0.5))
    page.mouse.click(*place(page, 0.52, 0.55))
    page.mouse.click(*place(page, 0.1, 0.1), button="right")
    status = page.locator("footer.status")
    expect(status.get_by_text("3 clicks", exact=True)).to_be_visible()
    expect(status.get_by_text("Built-in", exact=True)).to_be_visible()
    opened.objects(0)
    page.keyboard.press("Enter")
    opened.objects(1)
    opened.saved(1)
    [shape] = kept(site, url)
    assert shape["type"] == "polygon"
    assert Polygon(shape["parts"]).area() > 100
    page.keyboard.press("Control+z")
    opened.objects(0)
    opened.saved(2)
    assert kept(site, url) == []


def test_a_box_becomes_a_mask(desk: tuple[Desk, str], site: Site) -> None:
    opened, url = desk
    page = opened.page
    page.keyboard.press("s")
    bar = page.get_by_role("group", name="Smart segment")
    bar.get_by_role("button", name="mask").click()
    page.mouse.move(*place(page, 0.3, 0.3))
    page.mouse.down()
    page.mouse.move(*place(page, 0.6, 0.7), steps=4)
    page.mouse.up()
    page.keyboard.press("Enter")
    opened.objects(1)
    opened.saved(1)
    assert [shape["type"] for shape in kept(site, url)] == ["mask"]


def test_escape_leaves_nothing_behind(desk: tuple[Desk, str], site: Site) -> None:
    opened, url = desk
    page = opened.page
    page.keyboard.press("s")
    page.mouse.click(*place(page, 0.5, 0.5))
    page.keyboard.press("Escape")
    expect(page.locator("footer.status").get_by_text("1 click", exact=True)).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("b")
    opened.draw(0.4, 0.4, 0.6, 0.6)
    opened.objects(1)
    opened.saved(1)
    assert [shape["type"] for shape in kept(site, url)] == ["box"]


def test_a_thumb_takes_away_without_a_right_button(desk: tuple[Desk, str]) -> None:
    opened, _ = desk
    page = opened.page
    page.set_viewport_size({"width": 860, "height": 900})
    page.keyboard.press("s")
    with page.expect_response("**/segment"):
        page.mouse.click(*place(page, 0.5, 0.5))
    page.get_by_role("button", name="Next click takes away").click()
    with page.expect_request("**/segment") as asked:
        page.mouse.click(*place(page, 0.3, 0.3))
    assert [click["positive"] for click in asked.value.post_data_json["points"]] == [True, False]
    page.get_by_role("button", name="Finish the shape").click()
    expect(page.get_by_role("img", name="photograph.jpg, 1 object")).to_be_visible()
    page.get_by_role("button", name="Undo the last step").click()
    expect(page.get_by_role("img", name="photograph.jpg, 0 objects")).to_be_visible()
