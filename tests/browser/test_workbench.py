"""The workbench as people use it: drawing, walking, handing in, reviewing, on a desk and on a tablet."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests._site import Site, box, diff, picture
from tests.browser._console import Console, Desk

TABLET = {"viewport": {"width": 1024, "height": 768}, "has_touch": True, "is_mobile": True}


def started(site: Site, console: Console, count: int = 3, **options: Any) -> tuple[int, list[dict[str, Any]], Desk]:
    """Make a project with pictures and open its queue as the annotator."""
    project_id = site.project()
    images = [site.image(project_id, f"{n}.png", picture(320, 240)) for n in range(count)]
    desk = console.open(site.box.url, site.people["annotator"], **options)
    desk.go(f"/projects/{project_id}/annotate")
    return project_id, images, desk


def shows(page: Page, name: str) -> None:
    expect(page.locator(".canvas")).to_have_attribute("aria-label", re.compile(f"^{name}"))


def test_ten_boxes_in_a_row(site: Site, console: Console) -> None:
    _, _, desk = started(site, console)
    desk.objects(0)
    for n in range(10):
        left = 0.3 + 0.03 * n
        desk.draw(left, 0.3, left + 0.1, 0.5)
    desk.objects(10)
    expect(desk.page.get_by_role("button", name="Box", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(desk.page.locator(".objects li.on")).to_have_count(0)
    desk.page.keyboard.press("Control+z")
    desk.objects(9)


def test_back_and_forth_through_the_queue_keeps_the_undo_stack(site: Site, console: Console) -> None:
    _, _, desk = started(site, console)
    page = desk.page
    shows(page, "0.png")
    desk.draw(0.4, 0.4, 0.5, 0.5)
    desk.objects(1)
    page.keyboard.press("d")
    shows(page, "1.png")
    desk.objects(0)
    page.keyboard.press("Control+z")
    page.keyboard.press("a")
    shows(page, "0.png")
    desk.objects(1)
    page.keyboard.press("Control+z")
    desk.objects(0)


def test_browsing_leases_nothing(site: Site, console: Console) -> None:
    project_id, images, desk = started(site, console)
    page = desk.go(f"/projects/{project_id}/annotate?image={images[1]['id']}&sort=oldest")
    shows(page, "1.png")
    expect(page.get_by_text("2 of 3")).to_be_visible()
    page.keyboard.press("d")
    shows(page, "2.png")
    page.keyboard.press("a")
    page.keyboard.press("a")
    shows(page, "0.png")
    page.keyboard.press("Escape")
    expect(page.get_by_role("list", name="Images").get_by_role("link")).to_have_count(3)


def test_what_is_invalid_is_shown_and_not_submitted(site: Site, console: Console) -> None:
    project_id, images, desk = started(site, console)
    label = site.labels(project_id)[0]
    spec = {"name": "grade", "kind": "choice", "choices": ["A", "B"], "required": True}
    url = f"/api/projects/{project_id}/labels/{label['id']}"
    site.ok(site.people["owner"].patch(url, json={"attributes": [spec]}))
    page = desk.page
    page.reload()
    desk.draw(0.4, 0.4, 0.5, 0.5)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("needs “grade”")
    expect(page.locator(".objects li.on")).to_have_count(1)
    page.get_by_label("grade").select_option("A")
    page.locator(".canvas").focus()
    page.keyboard.press("Control+Enter")
    shows(page, "1.png")
    expect(page.get_by_role("listitem").filter(has_text="Submitted")).to_have_count(1)
    assert images[0]["id"]


def test_an_outline_that_crosses_itself_is_corrected_first(site: Site, console: Console) -> None:
    project_id, images, desk = started(site, console)
    page = desk.page
    shows(page, "0.png")
    area = page.locator(".canvas").bounding_box()
    assert area is not None
    page.keyboard.press("p")
    for x, y in ((0.4, 0.4), (0.6, 0.6), (0.6, 0.4), (0.4, 0.65)):
        page.mouse.click(area["x"] + area["width"] * x, area["y"] + area["height"] * y)
    page.keyboard.press("Enter")
    desk.objects(1)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("crosses itself: move a vertex")
    expect(page.locator(".objects li.on")).to_have_count(1)
    shows(page, "0.png")
    page.keyboard.press("Delete")
    desk.objects(0)
    page.keyboard.press("Control+Enter")
    shows(page, "1.png")
    expect(page.get_by_text("Sending", exact=False)).to_have_count(0)
    expect(page.get_by_role("button", name="Take back")).to_be_enabled()
    assert site.task(project_id, images[0]["id"])["state"] == "in_review"


def test_names_and_crosshair_are_kept_for_the_project(site: Site, console: Console) -> None:
    _, _, desk = started(site, console)
    page = desk.page
    shows(page, "0.png")
    expect(page.locator(".canvas.ringed")).to_have_count(0)
    page.keyboard.press("t")
    page.get_by_role("button", name="Display").click()
    page.get_by_role("group", name="Crosshair").get_by_role("button", name="pointer only").click()
    page.reload()
    shows(page, "0.png")
    page.get_by_role("button", name="Display").click()
    for group, choice in (("Names", "hidden"), ("Crosshair", "pointer only")):
        button = page.get_by_role("group", name=group).get_by_role("button", name=choice)
        expect(button).to_have_attribute("aria-pressed", "true")
    _, _, other = started(site, console)
    other.page.get_by_role("button", name="Display").click()
    shown = other.page.get_by_role("group", name="Names").get_by_role("button", name="shown")
    expect(shown).to_have_attribute("aria-pressed", "true")


def test_the_canvas_is_ringed_where_the_keyboard_brought_the_focus(site: Site, console: Console) -> None:
    _, _, desk = started(site, console)
    page = desk.page
    shows(page, "0.png")
    ring = page.locator(".canvas.ringed")
    expect(ring).to_have_count(0)
    for _ in range(4):
        page.keyboard.press("F6")
    expect(ring).to_be_focused()
    page.locator(".canvas").click()
    expect(ring).to_have_count(0)


def test_a_submission_is_taken_back(site: Site, console: Console) -> None:
    project_id, images, desk = started(site, console)
    desk.draw(0.4, 0.4, 0.5, 0.5)
    desk.page.keyboard.press("Control+Enter")
    shows(desk.page, "1.png")
    desk.page.get_by_role("button", name="Take back").click()
    shows(desk.page, "0.png")
    desk.objects(1)
    assert site.task(project_id, images[0]["id"])["state"] == "in_progress"


def test_the_picture_alone_and_the_keys(site: Site, console: Console) -> None:
    _, _, desk = started(site, console)
    page = desk.page
    desk.objects(0)
    page.keyboard.press("Shift+F")
    expect(page.get_by_role("complementary", name="Objects")).to_have_count(0)
    expect(page.get_by_role("navigation", name="Project")).to_have_count(0)
    page.keyboard.press("Shift+F")
    desk.objects(0)
    page.keyboard.press("F1")
    keys = page.get_by_role("dialog", name="Keys")
    for words in ("polygon", "propagate to the next images", "insert a vertex", "edit on the spot"):
        expect(keys.get_by_text(words, exact=True)).to_be_visible()
    keys.get_by_label("Keys as in").select_option("cvat")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    shows(page, "1.png")
    page.keyboard.press("d")
    shows(page, "0.png")


def test_a_reviewer_fixes_and_approves(site: Site, console: Console) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    image = site.image(project_id, "fix.png", picture(320, 240))
    site.ok(site.save(project_id, image["id"], diff(0, added=[box(label)])))
    task = site.task(project_id, image["id"])
    site.ok(site.tell(project_id, task["id"], "submit", {"revision": 1}))
    desk = console.open(site.box.url, site.people["reviewer"])
    page = desk.go(f"/projects/{project_id}/review")
    expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    page.keyboard.press("e")
    desk.draw(0.5, 0.5, 0.6, 0.6)
    desk.objects(2)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("you judged 1 image")).to_be_visible()
    expect(page.get_by_text("Sending")).to_have_count(0)
    url = f"/api/projects/{project_id}/images/{image['id']}/annotations"
    found = site.ok(site.people["owner"].get(url))["annotations"]
    assert [one["status"] for one in found] == ["approved", "approved"]


def test_a_tablet_has_a_bar_under_either_thumb(site: Site, console: Console) -> None:
    _, _, desk = started(site, console, **TABLET)
    page = desk.page
    bar = page.get_by_role("toolbar", name="Under the thumb")
    expect(bar).to_be_visible()
    for button in bar.get_by_role("button").all():
        area = button.bounding_box()
        assert area is not None
        assert min(area["width"], area["height"]) >= 44
    bar.get_by_role("button", name="To the left hand").tap()
    expect(bar).to_have_attribute("data-hand", "left")
    shows(page, "0.png")
    bar.get_by_role("button", name="Next image").tap()
    shows(page, "1.png")
