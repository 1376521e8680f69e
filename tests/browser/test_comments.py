"""Comments on the canvas: two people, live; written out of reach, sent once; and what a return leads to."""

from __future__ import annotations

import re
import secrets
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests._site import Site, box, diff, picture
from tests.browser._console import Console, Desk

UNREACHED = r"ERR_|comments"


class Scene:
    """A project with one image and a shape on it, and pages of its people."""

    def __init__(self, site: Site, console: Console) -> None:
        self.site, self.console = site, console
        self.project_id = site.project()
        self.label = site.labels(self.project_id)[0]["id"]
        self.image = site.image(self.project_id, "tray.png", picture(320, 240))
        geometry = {"type": "box", "x1": 130, "y1": 100, "x2": 190, "y2": 150}
        self.shape = box(self.label) | {"geometry": geometry}
        site.ok(site.save(self.project_id, self.image["id"], diff(0, added=[self.shape])))

    def open(self, who: str, query: str = "", **options: Any) -> Desk:
        desk = self.console.open(self.site.box.url, self.site.box.signed_in(who), **options)
        desk.go(f"/projects/{self.project_id}/annotate?image={self.image['id']}{query}")
        expect(desk.page.get_by_role("img", name=re.compile("^tray.png"))).to_be_visible()
        return desk

    def say(self, who: str, text: str = "look", **facts: Any) -> dict[str, Any]:
        url = f"/api/projects/{self.project_id}/images/{self.image['id']}/comments"
        body = {"key": secrets.token_urlsafe(9), "text": text, **facts}
        made: dict[str, Any] = self.site.ok(self.site.people[who].post(url, json=body))
        return made

    def threads(self) -> list[dict[str, Any]]:
        url = f"/api/projects/{self.project_id}/images/{self.image['id']}/comments"
        items: list[dict[str, Any]] = self.site.ok(self.site.people["owner"].get(url))["items"]
        return items

    def returned(self, revision: int = 1) -> None:
        """Hand the image in and return it because of its shape."""
        task = self.site.task(self.project_id, self.image["id"])
        self.site.ok(self.site.tell(self.project_id, task["id"], "submit", {"revision": revision}))
        verdicts = [{"annotation_id": self.shape["id"], "verdict": "reject"}]
        body = {"revision": revision, "verdict": "return", "reason": "loose outline", "verdicts": verdicts}
        self.site.ok(self.site.tell(self.project_id, task["id"], "review", body, "reviewer"), 201)


@pytest.fixture
def scene(site: Site, console: Console) -> Scene:
    return Scene(site, console)


def section(page: Page) -> Any:
    return page.get_by_role("region", name="Comments")


def point_at(desk: Desk, x: float, y: float) -> None:
    """Move the pointer to a place of the canvas, given in shares of its size."""
    area = desk.page.locator(".canvas").bounding_box()
    assert area is not None
    desk.page.mouse.move(area["x"] + area["width"] * x, area["y"] + area["height"] * y)


def test_two_people_talk_at_a_pin_while_both_look(scene: Scene) -> None:
    ann, rita = scene.open("annotator"), scene.open("reviewer")
    point_at(ann, 0.5, 0.52)
    ann.page.keyboard.press("c")
    ann.page.keyboard.type("@reviewer is this one?")
    expect(section(ann.page)).to_contain_text("On bolt")
    ann.page.keyboard.press("Control+Enter")

    pin = rita.page.get_by_role("button", name=re.compile("^Comment 1, open, 1 unread"))
    expect(pin).to_be_visible()
    pin.click()
    expect(section(rita.page)).to_contain_text("is this one?")
    expect(rita.page.get_by_role("button", name="Comment 1, open", exact=True)).to_be_visible()
    rita.page.get_by_label("Reply to comment 1").fill("It is.")
    rita.page.get_by_role("button", name="Reply").click()

    expect(ann.page.get_by_role("button", name="Comment 1, answered, 1 unread comment")).to_be_visible()
    expect(section(ann.page)).to_contain_text("It is.")
    section(rita.page).get_by_role("button", name="Resolve").click()
    expect(section(ann.page)).to_contain_text("resolved by reviewer")
    (thread,) = scene.threads()
    assert thread["annotation_id"] == scene.shape["id"]
    assert [c["text"] for c in thread["comments"]] == ["@reviewer is this one?", "It is."]


def test_one_changes_and_deletes_ones_own(scene: Scene) -> None:
    scene.say("annotator", "first words", pin={"x": 40, "y": 40})
    scene.say("reviewer", "not yours")
    page = scene.open("annotator").page
    section(page).get_by_role("button", name=re.compile("not yours")).click()
    expect(section(page).get_by_role("button", name="Edit")).to_have_count(0)
    section(page).get_by_role("button", name=re.compile("first words")).click()
    section(page).get_by_role("button", name="Edit").click()
    page.get_by_label("Your comment").fill("better words")
    page.get_by_role("button", name="Save").click()
    expect(section(page)).to_contain_text("better words")
    expect(section(page)).to_contain_text("edited")
    section(page).get_by_role("button", name="Delete this comment").click()
    expect(page.get_by_role("button", name=re.compile("^Comment 1"))).to_have_count(0)
    assert [t["number"] for t in scene.threads()] == [2]


def test_a_comment_written_out_of_reach_is_sent_once(scene: Scene, console: Console) -> None:
    console.expects(UNREACHED)
    desk = scene.open("annotator")
    page, cut, lost = desk.page, True, []

    def answer(route: Route) -> None:
        if route.request.method != "POST":
            route.fallback()
        elif cut:
            route.abort("connectionfailed")
        elif not lost:
            lost.append(route.fetch().status)  # the box took it, and the answer never came
            route.abort("connectionfailed")
        else:
            route.fallback()

    page.context.route("**/comments", answer)
    point_at(desk, 0.5, 0.52)
    page.keyboard.press("c")
    page.keyboard.type("written in the field")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Offline · 0 changes and 1 comment kept")).to_be_visible()
    expect(section(page)).to_contain_text("not sent yet")
    page.reload()
    expect(page.get_by_role("button", name="Comment 1, unsent")).to_be_visible()
    assert scene.threads() == []
    cut = False
    expect(page.get_by_role("button", name="Comment 1, open", exact=True)).to_be_visible()
    expect(page.get_by_text("Saved, revision 1")).to_be_visible()
    assert (lost, [[c["text"] for c in t["comments"]] for t in scene.threads()]) == (
        [200],
        [["written in the field"]],
    )


def test_returned_work_is_walked_pin_by_pin_and_fixing_one_answers_it(scene: Scene) -> None:
    scene.returned()
    scene.say("reviewer", "and here", pin={"x": 20, "y": 20})
    desk = scene.console.open(scene.site.box.url, scene.site.box.signed_in("annotator"))
    page = desk.go(f"/projects/{scene.project_id}/annotate")
    expect(page.get_by_text("Returned by reviewer: loose outline")).to_be_visible()
    first = page.get_by_role("button", name=re.compile("^Comment 1, open"))
    expect(first).to_be_visible()
    page.locator(".canvas").focus()
    page.keyboard.press("Tab")
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".objects li.on")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name=re.compile("^Comment 2"))).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Fixed").click()
    expect(page.get_by_role("button", name="Comment 2, answered")).to_be_visible()
    page.locator(".canvas").focus()
    page.keyboard.press("Tab")
    expect(first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Comment 1, answered")).to_be_visible()
    assert [t["answered"] for t in scene.threads()] == [True, True]


def test_returned_work_of_somebody_else_is_only_looked_at(scene: Scene) -> None:
    scene.returned()
    url = f"/api/projects/{scene.project_id}/members/{scene.site.ids['outsider']}"
    scene.site.ok(scene.site.people["owner"].put(url, json={"role": "annotator"}))
    page = scene.open("outsider").page
    expect(page.get_by_text("Returned to somebody else, who corrects it.")).to_be_visible()
    expect(page.get_by_role("button", name="Box", exact=True)).to_be_disabled()


def test_the_grid_finds_unresolved_and_unread_comments(scene: Scene) -> None:
    scene.site.image(scene.project_id, "plain.png", picture(64, 48))
    scene.say("annotator", "@reviewer look")
    desk = scene.console.open(scene.site.box.url, scene.site.box.signed_in("reviewer"))
    page = desk.go("/")
    badge = page.get_by_role("link", name="1 unread comment").first
    expect(badge).to_be_visible()
    badge.click()
    expect(page.locator(".cell:not([hidden])")).to_have_count(1)
    expect(page.get_by_title("Unread comments: take this filter away")).to_be_visible()
    desk.go(f"/projects/{scene.project_id}/images")
    expect(page.get_by_title("1 unresolved comment")).to_be_visible()
    page.get_by_label("Unresolved", exact=True).check()
    expect(page.locator(".cell:not([hidden])")).to_have_count(1)
    expect(page.get_by_role("link", name=re.compile("tray.png"))).to_be_visible()
    page.get_by_title("Unresolved comments: take this filter away").click()
    page.get_by_label(re.compile("^Unread by you")).check()
    expect(page.locator(".cell:not([hidden])")).to_have_count(1)


def test_a_tablet_places_a_comment_from_the_thumb_bar(scene: Scene) -> None:
    size = {"width": 1024, "height": 768}
    desk = scene.open("annotator", viewport=size, has_touch=True, is_mobile=True)
    page = desk.page
    page.get_by_role("toolbar", name="Under the thumb").get_by_role("button", name="Comment").tap()
    area = page.locator(".canvas").bounding_box()
    assert area is not None
    page.touchscreen.tap(area["x"] + area["width"] * 0.5, area["y"] + area["height"] * 0.52)
    page.get_by_label("Comment", exact=True).and_(page.locator("textarea")).fill("by pen")
    page.locator(".composer-actions").get_by_role("button", name="Comment").tap()
    pin = page.get_by_role("button", name="Comment 1, open", exact=True)
    expect(pin).to_be_visible()
    parts = page.get_by_role("group", name="Panel")
    expect(parts.get_by_role("button", name="Comments 1")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".objects")).to_be_hidden()
    parts.get_by_role("button", name="Objects").tap()
    expect(page.locator(".objects li").first).to_be_visible()
    expect(section(page)).to_be_hidden()
    parts.get_by_role("button", name="Comments 1").tap()
    for control in section(page).get_by_role("button").all():
        bounds = control.bounding_box()
        assert bounds is not None
        assert bounds["height"] >= 44, control.inner_text()


def test_a_refused_snapshot_leads_to_the_fault(scene: Scene) -> None:
    site, project_id = scene.site, site_project(scene.site)
    label = site.labels(project_id)[0]["id"]
    image = site.image(project_id, "crossed.png", picture(320, 240))
    ring = [[100, 100, 200, 200, 200, 100, 100, 200]]
    shape = box(label) | {"geometry": {"type": "polygon", "parts": [ring]}}
    revision = site.ok(site.save(project_id, image["id"], diff(0, added=[shape])))["revision"]
    task = site.task(project_id, image["id"])
    site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}))
    desk = scene.console.open(site.box.url, site.box.signed_in("owner"))
    page = desk.go(f"/projects/{project_id}/dataset")
    page.get_by_role("button", name="Make snapshot").first.click()
    page.get_by_label("Name").fill("week 12")
    page.get_by_role("dialog").get_by_role("button", name="Make snapshot").click()
    expect(page.get_by_role("heading", name="To correct before a snapshot")).to_be_visible()
    expect(page.get_by_text("1 problem in 1 approved image")).to_be_visible()
    page.get_by_role("link", name="crossed.png").click()
    expect(page.get_by_role("img", name=re.compile("^crossed.png"))).to_be_visible()
    expect(page.locator(".objects li.on")).to_have_count(1)


def site_project(site: Site) -> int:
    """Make a project without review."""
    return site.project("none")
