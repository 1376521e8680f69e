"""Work dealt out in Browse, planned, skipped with a reason, reviewed by two; all by keyboard where there are keys."""

from __future__ import annotations

import os
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from tests._site import Site
from tests.browser._console import Console

_SHOTS = os.environ.get("PIXELQUEUE_SHOTS")


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the page in both themes where a folder is named for it."""
    if _SHOTS:
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=Path(_SHOTS) / f"{name}-{scheme}.png")
        page.emulate_media(color_scheme="dark")


def a_project(site: Site, pictures: list[bytes], **policy: object) -> int:
    project_id = site.project(**policy)  # type: ignore[arg-type]
    for number, data in enumerate(pictures):
        site.image(project_id, f"{number}.jpg", data)
    return project_id


def test_images_are_dealt_out_planned_and_reassigned(site: Site, console: Console, pictures: list[bytes]) -> None:
    project_id = a_project(site, pictures)
    page = console.open(site.box.url, site.people["owner"]).go(f"/projects/{project_id}/images")
    expect(page.get_by_role("list", name="Images").locator("img").first).to_be_visible()
    page.keyboard.press("Control+a")
    expect(page.get_by_text("5 selected")).to_be_visible()
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Assign 5 images")
    dialog.get_by_label("To", exact=True).select_option("several")
    dialog.get_by_label("owner").uncheck()
    shoot(page, "assign")
    dialog.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("5 images dealt out to 2 people")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.press("p")
    dialog = page.get_by_role("dialog", name="Plan 5 images")
    dialog.get_by_label("Priority").select_option("1")
    dialog.get_by_label("Due at the end of").fill("2020-01-31")
    shoot(page, "plan")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("5 images planned")).to_be_visible()
    page.goto(f"{site.box.url}/projects/{project_id}/work")
    row = page.get_by_role("row", name="annotator")
    expect(row.locator("td.late")).to_be_visible()
    shoot(page, "work")
    load = {one["name"]: one for one in work(site, project_id)}
    assert sorted((load[who]["assigned"], load[who]["overdue"]) for who in ("annotator", "reviewer")) == [
        (2, 2),
        (3, 3),
    ]
    row.get_by_role("button", name="Reassign").click()
    page.get_by_role("dialog").get_by_label("To").select_option(label="reviewer")
    page.get_by_role("dialog").get_by_role("button", name="Reassign").click()
    expect(row.get_by_role("button", name="Reassign")).to_be_disabled()
    assert {one["name"]: one["assigned"] for one in work(site, project_id)}["reviewer"] == 5


def work(site: Site, project_id: int) -> list[dict]:
    return site.ok(site.people["owner"].get(f"/api/projects/{project_id}/work"))["items"]


def test_a_skip_says_why_and_reviewers_read_it(site: Site, console: Console, pictures: list[bytes]) -> None:
    project_id = a_project(site, pictures[:2])
    page = console.open(site.box.url, site.people["annotator"]).go(f"/projects/{project_id}/annotate")
    expect(page.get_by_role("button", name="Skip")).to_be_enabled()
    page.keyboard.press("Shift+d")
    expect(page.get_by_role("dialog", name="Skip this image because")).to_be_visible()
    shoot(page, "skip")
    page.keyboard.press("2")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("Skipped").first).to_be_visible()
    reviewing = console.open(site.box.url, site.people["reviewer"]).go(f"/projects/{project_id}/work")
    expect(reviewing.get_by_text("not for this project")).to_be_visible()
    shoot(reviewing, "skipped")


def test_a_policy_says_what_it_will_do_and_two_people_approve(
    site: Site, console: Console, pictures: list[bytes]
) -> None:
    project_id = a_project(site, pictures[:2], review_policy="all")
    page = console.open(site.box.url, site.people["owner"]).go(f"/projects/{project_id}/settings")
    page.get_by_label("Approvals an image needs").select_option("2")
    expect(page.get_by_text("Two different people approve an image")).to_be_visible()
    expect(page.get_by_text("what either of them draws can never be approved")).to_be_visible()
    page.get_by_label("Approvals an image needs").scroll_into_view_if_needed()
    shoot(page, "policy")
    page.locator("section", has=page.get_by_role("heading", name="Review")).get_by_role("button", name="Save").click()
    expect(page.get_by_text("What this policy does")).to_be_visible()
    for image in site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images"))["items"]:
        revision = site.draw(project_id, image["id"], site.labels(project_id)[0]["id"])
        task = site.task(project_id, image["id"])
        site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}))
    verdict = {"revision": revision, "verdict": "approve"}
    site.ok(site.tell(project_id, task["id"], "review", verdict, "reviewer"), 201)
    page.goto(f"{site.box.url}/projects/{project_id}/review")
    approve = page.get_by_role("button", name="Approve")
    expect(page.get_by_text("0 of 2 approvals")).to_be_visible()
    expect(approve).to_be_enabled()
    page.mouse.move(600, 400)
    with page.expect_request(lambda request: request.url.endswith("/review") and request.method == "POST") as told:
        page.keyboard.press("y")
    assert told.value.post_data_json["active_ms"] > 0, "what the reviewer's browser measured goes with the verdict"
    expect(page.get_by_text("1 of 2 approvals")).to_be_visible()
    expect(approve).to_be_enabled()
    shoot(page, "one-of-two")
    page.keyboard.press("y")
    expect(page.get_by_text("Nothing waits for review")).to_be_visible()
    expect(page.get_by_text("Sending")).to_have_count(0)
    done = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images", params={"state": "done"}))["items"]
    assert [image["id"] for image in done] == [task["image_id"]]


def test_urgent_and_overdue_images_are_found(site: Site, console: Console, pictures: list[bytes]) -> None:
    project_id = a_project(site, pictures[:3])
    owner, url = site.people["owner"], f"/api/projects/{project_id}/images"
    first, second, third = (image["id"] for image in site.ok(owner.get(url))["items"])
    now_ms = round(time.time() * 1000)
    site.ok(owner.post(f"{url}/prioritise", json={"ids": [first], "priority": 2}))
    site.ok(owner.post(f"{url}/due", json={"ids": [second], "due_at_ms": now_ms - 60_000}))
    for query, expected in (
        ({"priority": "2"}, [first]),
        ({"due_until": now_ms}, [second]),
        ({"due_since": 0}, [second]),
    ):
        assert [image["id"] for image in site.ok(owner.get(url, params=query))["items"]] == expected
    page = console.open(site.box.url, owner).go(f"/projects/{project_id}/images")
    cells = page.locator(".cell:not([hidden])")
    expect(cells).to_have_count(3)
    page.get_by_role("button", name="Due", exact=True).click()
    page.get_by_label("Overdue").check()
    expect(cells).to_have_count(1)
    assert "due=overdue" in page.url
    page.reload()
    expect(page.get_by_title("Overdue: take this filter away")).to_be_visible()
    expect(cells).to_have_count(1)
    site.ok(owner.post(f"{url}/due", json={"ids": [third], "due_at_ms": now_ms - 60_000}))
    expect(cells).to_have_count(2)
    page.get_by_title("Overdue: take this filter away").click()
    page.get_by_role("button", name="Priority", exact=True).click()
    page.get_by_label("Urgent").check()
    expect(cells).to_have_count(1)
    expect(page.get_by_title("Priority urgent: take this filter away")).to_be_visible()
