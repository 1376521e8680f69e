"""Every geometry drawn with a mouse, a finger and a pen, as the box keeps it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests._site import Site, picture
from tests.browser._console import Console, Desk

SIZE = (400, 300)
SKELETON = {"points": ["wrist", "thumb", "tip"], "edges": [[0, 1], [1, 2]]}
Place = tuple[float, float]


class Hand:
    """A mouse, a finger or a pen over the canvas, told where to go in pixels of the image."""

    def __init__(self, page: Page, kind: str) -> None:
        self.page, self.kind = page, kind
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        area = page.locator(".canvas").bounding_box()
        assert area is not None
        self._area = area
        self._scale = min((area["width"] - 24) / SIZE[0], (area["height"] - 24) / SIZE[1])

    def click(self, *places: Place, button: str = "left") -> None:
        for place in places:
            self._act("down", place, button)
            self._act("up", place, button)
            settle(self.page)

    def drag(self, *places: Place) -> None:
        first, *rest = places
        self._act("down", first)
        for place in rest:
            self._act("move", place)
        self._act("up", places[-1])
        settle(self.page)

    def screen(self, place: Place) -> Place:
        """Return where a place of the image lies on the page; the picture is shown fitted."""
        left = self._area["x"] + (self._area["width"] - SIZE[0] * self._scale) / 2
        top = self._area["y"] + (self._area["height"] - SIZE[1] * self._scale) / 2
        return left + place[0] * self._scale, top + place[1] * self._scale

    def _act(self, what: str, place: Place, button: str = "left") -> None:
        x, y = self.screen(place)
        if self.kind == "touch":
            kind = {"down": "touchStart", "move": "touchMove", "up": "touchEnd"}[what]
            points = [] if what == "up" else [{"x": x, "y": y, "radiusX": 10, "radiusY": 10}]
            self._cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            return
        held = {"left": 1, "right": 2}[button]
        facts: dict[str, Any] = {"x": x, "y": y, "pointerType": self.kind, "force": 0.5}
        if what == "down":
            self._cdp.send("Input.dispatchMouseEvent", {"type": "mouseMoved", **facts})
        kind = {"down": "mousePressed", "move": "mouseMoved", "up": "mouseReleased"}[what]
        pressed = {"button": button, "buttons": 0 if what == "up" else held, "clickCount": 1}
        self._cdp.send("Input.dispatchMouseEvent", {"type": kind, **facts, **pressed})


@pytest.fixture
def project(site: Site) -> tuple[int, int]:
    """A project with a plain label and one with a skeleton, and an image of its own."""
    project_id = site.project(labels=("bolt",))
    hand = {"name": "hand", "skeleton": SKELETON}
    site.ok(site.people["owner"].post(f"/api/projects/{project_id}/labels", json=hand), 201)
    return project_id, site.image(project_id, content=picture(*SIZE))["id"]


@pytest.fixture(params=["mouse", "touch", "pen"])
def desk(request: pytest.FixtureRequest, site: Site, project: tuple[int, int], console: Console) -> Desk:
    """The image on the desk of somebody with that in their hand."""
    options = {"has_touch": True} if request.param == "touch" else {}
    opened = console.open(site.box.url, site.people["annotator"], **options)
    opened.go(f"/projects/{project[0]}/annotate?image={project[1]}")
    opened.saved(0)
    return opened


def press(page: Page, key: str) -> None:
    """Press a key."""
    page.keyboard.press(key)
    settle(page)


def settle(page: Page) -> None:
    """Wait until the page has seen what was sent: keys and touches overtake each other on their way."""
    page.evaluate("() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))")


def kept(site: Site, project: tuple[int, int]) -> list[dict[str, Any]]:
    url = f"/api/projects/{project[0]}/images/{project[1]}/annotations"
    items: list[dict[str, Any]] = site.people["owner"].get(url).json()["annotations"]
    return [item["geometry"] for item in items]


def numbers(value: Any) -> list[float]:
    """Return all numbers of a JSON value in order."""
    if isinstance(value, dict):
        return [n for key in sorted(value) for n in numbers(value[key])]
    if isinstance(value, list):
        return [n for item in value for n in numbers(item)]
    return [float(value)] if isinstance(value, int | float) else []


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Compare within what a screen pixel is worth: a touch is told in whole ones."""
    return numbers(found) == pytest.approx(numbers(expected), abs=0.51)


def test_every_geometry(desk: Desk, site: Site, project: tuple[int, int], request: pytest.FixtureRequest) -> None:
    page, hand = desk.page, Hand(desk.page, request.node.callspec.params["desk"])
    press(page, "b")
    hand.drag((20, 20), (60, 50), (100, 80))
    desk.objects(1)
    press(page, "r")
    hand.drag((120, 40), (160, 40), (200, 40))
    hand.drag((160, 60), (160, 70), (160, 80))
    desk.objects(2)
    press(page, "p")
    hand.click((220, 20), (300, 20), (300, 90), (221, 21))
    desk.objects(3)
    press(page, "l")
    hand.click((20, 120), (80, 180), (140, 120))
    press(page, "Enter")
    desk.objects(4)
    press(page, "2")
    press(page, "k")
    hand.click((180, 120), (200, 150), (220, 180))
    desk.objects(5)
    press(page, "1")
    press(page, "m")
    hand.drag((300, 200), (320, 200), (350, 200))
    desk.objects(6)
    expect(page.get_by_text("Saved, revision")).to_be_visible()
    box, turned, polygon, line, points, mask = sorted(kept(site, project), key=_order)
    assert same(box, {"type": "box", "x1": 20, "y1": 20, "x2": 100, "y2": 80})
    assert same(turned, {"cx": 160, "cy": 60, "width": 80, "height": 40, "angle": 0})
    assert same(polygon, {"parts": [[[220, 20, 300, 20, 300, 90]]]})
    assert same(line, {"points": [20, 120, 80, 180, 140, 120]})
    assert same(points, {"points": [180, 120, 2, 200, 150, 2, 220, 180, 2]})
    assert mask["size"] == [SIZE[1], SIZE[0]]


def _order(geometry: dict[str, Any]) -> int:
    return ["box", "rotated_box", "polygon", "polyline", "keypoints", "mask"].index(geometry["type"])


def test_vertices_move_and_a_half_drawn_shape_goes_with_escape(
    desk: Desk, site: Site, project: tuple[int, int], request: pytest.FixtureRequest
) -> None:
    page, hand = desk.page, Hand(desk.page, request.node.callspec.params["desk"])
    press(page, "p")
    hand.click((100, 100), (200, 100), (200, 200))
    press(page, "Enter")
    hand.click((50, 50), (90, 50))
    press(page, "Escape")
    press(page, "v")
    desk.objects(1)
    hand.click((180, 130))
    hand.drag((200, 200), (230, 220), (250, 240))
    hand.drag((150, 100), (150, 80), (150, 60))
    expect(page.get_by_text("Saved, revision")).to_be_visible()
    [polygon] = kept(site, project)
    assert same(polygon, {"parts": [[[100, 100, 150, 60, 200, 100, 250, 240]]]})
    before = page.get_by_text("Saved, revision").inner_text()
    press(page, "Control+z")
    press(page, "Control+z")
    expect(page.get_by_text(before, exact=True)).to_have_count(0)
    expect(page.get_by_text("Saved, revision")).to_be_visible()
    assert same(kept(site, project)[0], {"parts": [[[100, 100, 200, 100, 200, 200]]]})


def test_a_resting_palm_draws_nothing(site: Site, project: tuple[int, int], console: Console) -> None:
    desk = console.open(site.box.url, site.people["annotator"], has_touch=True)
    page = desk.go(f"/projects/{project[0]}/annotate?image={project[1]}")
    desk.saved(0)
    pen, palm = Hand(page, "pen"), Hand(page, "touch")
    press(page, "b")
    pen.drag((20, 20), (60, 50), (100, 80))
    palm.drag((200, 200), (240, 240), (280, 280))
    pen.drag((120, 20), (160, 50), (200, 80))
    desk.objects(2)
    expect(page.get_by_text("Saved, revision")).to_be_visible()
    assert [
        same(one, {"x1": x, "x2": x + 80, "y1": 20, "y2": 80})
        for one, x in zip(kept(site, project), (20, 120), strict=True)
    ]
