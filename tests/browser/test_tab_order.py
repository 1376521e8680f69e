"""Where people work, without a mouse: every control is reached, shows the focus and lets it go, in its order."""

from __future__ import annotations

import re
from itertools import groupby

from playwright.sync_api import Page, expect

from tests._site import Site
from tests.browser._console import Console, Desk

PARTS = (
    ".topbar, .filters, .toolbar, .grid, .bulk, .workbar, .tools, .canvas, .panel, .queue, .verdict, .status, .thumb"
)
PART = f"""() => {{
    const at = document.activeElement;
    (window.reached ??= new Set()).add(at);
    return at === document.body ? null : at.closest({PARTS!r})?.classList[0] ?? at.outerHTML.slice(0, 200);
}}"""
MISSED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .filter((one) => !one.matches(":disabled, .unseen, .cell *") && !window.reached.has(one))
    .map((one) => one.outerHTML.slice(0, 200))"""
MOST_STOPS = 150
MARKED = """() => {
    const style = getComputedStyle(document.activeElement);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
}"""
RINGED = """() => {
    const ring = getComputedStyle(document.activeElement, "::after");
    return ring.outlineStyle !== "none" || ring.borderTopStyle !== "none";
}"""


def walk(page: Page) -> list[str]:
    """Press Tab until the focus leaves the page; return the part of each stop, which shows the focus."""
    parts: list[str] = []
    while len(parts) < MOST_STOPS:
        part = page.evaluate(PART)
        if part is None or (part == "topbar" and parts[-1:] not in ([], ["topbar"])):
            return parts
        if part == "canvas":
            assert parts[-1] != "canvas", "Tab does not leave the canvas"
            page.wait_for_function(RINGED)
        else:
            assert page.evaluate(MARKED), page.evaluate("document.activeElement.outerHTML")
        parts.append(part)
        page.keyboard.press("Tab")
    raise AssertionError("Tab never comes to an end")


def walk_from_home(page: Page) -> list[str]:
    """Tab from the first link to the end; return the part of each stop."""
    page.locator(".home").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    return walk(page)


def order(page: Page) -> list[str]:
    """Return the parts in the order in which the focus comes to them."""
    return [part for part, _ in groupby(walk_from_home(page))]


def worked_on(site: Site, console: Console, who: str, path: str, *, objects: int) -> Desk:
    """Open a project with five images, the first of them with objects; reviewers find it handed in."""
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    images = [site.image(project_id, f"{n}.png") for n in range(5)]
    revision = 0
    for _ in range(objects):
        revision = site.draw(project_id, images[0]["id"], label, revision)
    if path == "review":
        for one, at in ((images[0], revision), (images[1], 0)):
            task = site.task(project_id, one["id"])
            site.ok(site.tell(project_id, task["id"], "submit", {"revision": at}))
    desk = console.open(site.box.url, site.people[who])
    query = f"?image={images[0]['id']}" if path == "annotate" else ""
    page = desk.go(f"/projects/{project_id}/{path}{query}")
    if path != "images":
        desk.objects(objects)
        expect(page.get_by_role("button", name=re.compile("^(Submit|Approve)"))).to_be_enabled()
    return desk


def test_annotate_is_walked_from_end_to_end(site: Site, console: Console) -> None:
    page = worked_on(site, console, "annotator", "annotate", objects=0).page
    assert order(page) == ["topbar", "workbar", "tools", "canvas", "panel", "queue"]
    assert page.evaluate(MISSED) == []


def test_from_a_canvas_with_objects_a_key_leads_on(site: Site, console: Console) -> None:
    page = worked_on(site, console, "annotator", "annotate", objects=2).page
    page.locator(".canvas").focus()
    for name in ("bolt 1", "bolt 2", "bolt 1"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=re.compile(f"^{name} "))).to_have_attribute("aria-pressed", "true")
    walked = []
    for _ in range(4):
        page.keyboard.press("F6")
        assert page.evaluate(MARKED) or page.evaluate(RINGED)
        walked.append(page.evaluate(PART))
    assert walked == ["tools", "panel", "workbar", "canvas"]


def test_review_is_walked_from_end_to_end(site: Site, console: Console) -> None:
    page = worked_on(site, console, "reviewer", "review", objects=0).page
    assert order(page) == ["topbar", "workbar", "canvas", "panel", "verdict"]
    assert page.evaluate(MISSED) == []
    page.locator(".verdict").get_by_role("button", name=re.compile("^Return")).first.press("Enter")
    expect(page.get_by_role("group", name="Return because").get_by_role("button").first).to_be_enabled()
    assert order(page) == ["topbar", "workbar", "canvas", "panel", "verdict"]
    assert page.evaluate(MISSED) == []


def test_browse_is_one_stop_that_arrows_walk(site: Site, console: Console) -> None:
    page = worked_on(site, console, "owner", "images", objects=0).page
    cells = page.get_by_role("list", name="Images").get_by_role("link")
    expect(cells).to_have_count(5)
    closed = page.locator(".filters .fold[aria-expanded=false]")
    for left in range(closed.count(), 0, -1):
        closed.first.press("Enter")
        expect(closed).to_have_count(left - 1)
    page.wait_for_load_state("networkidle")
    parts = walk_from_home(page)
    assert [part for part, _ in groupby(parts)] == ["topbar", "filters", "toolbar", "grid"]
    assert parts.count("grid") == 1
    assert page.evaluate(MISSED) == []
    cells.first.focus()
    for key, name in (("ArrowRight", "3.png"), ("End", "0.png"), ("ArrowLeft", "1.png"), ("Home", "4.png")):
        page.keyboard.press(key)
        expect(page.get_by_role("link", name=name)).to_be_focused()
        assert page.evaluate(MARKED)
    page.keyboard.press("Space")
    expect(page.locator(".bulk")).to_be_visible()
    parts = walk_from_home(page)
    assert [part for part, _ in groupby(parts)] == ["topbar", "filters", "toolbar", "grid", "bulk"]
    assert page.evaluate(MISSED) == []
