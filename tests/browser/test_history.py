"""History in the browser: looking back, restoring, undoing a run, erasing an image."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from appliance.geometry.box import Box
from appliance.store import images, jobs, predictions
from appliance.store.predictions import Proposal
from tests._site import Site, picture
from tests.browser._console import Console


def test_an_earlier_revision_is_looked_at_and_restored(site: Site, console: Console) -> None:
    project_id = site.project()
    image = site.image(project_id, "a.png", picture(320, 240))
    desk = console.open(site.box.url, site.people["annotator"])
    page = desk.go(f"/projects/{project_id}/annotate")
    desk.draw(0.3, 0.3, 0.4, 0.4)
    desk.saved(1)
    desk.draw(0.5, 0.5, 0.6, 0.6)
    desk.saved(2)
    page.locator("summary", has_text="History").click()
    lines = page.locator(".revisions li")
    expect(lines).to_have_count(2)
    expect(lines.last).to_contain_text("1 bolt added")
    lines.last.get_by_role("button", name="Look").click()
    expect(page.get_by_text("Revision 1, as annotator left it")).to_be_visible()
    desk.objects(1)
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    desk.draw(0.7, 0.7, 0.8, 0.8)
    desk.objects(1)
    page.keyboard.press("Escape")
    desk.objects(2)
    lines.last.get_by_role("button", name="Look").click()
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_text("To look at only")).to_have_count(0)
    expect(lines).to_have_count(3)
    expect(lines.first).to_contain_text("Restored: 1 bolt removed")
    desk.objects(1)
    assert site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images/{image['id']}"))["revision"] == 3
    desk.draw(0.5, 0.5, 0.6, 0.6)
    desk.saved(4)


def test_a_run_is_undone_from_the_jobs_page_after_its_preview(site: Site, console: Console) -> None:
    project_id = site.project()
    image = site.image(project_id, "a.png", picture(320, 240))
    label = site.labels(project_id)[0]["id"]

    def run(tx) -> int:
        job = jobs.create(tx, "auto-label", "none", 100, {}, project_id=project_id, created_by=site.ids["owner"])
        found = [Proposal(label, 0.7, Box(10 * n, 1, 10 * n + 8, 20)) for n in range(3)]
        there = images.get(tx, project_id, image["id"])
        predictions.replace(tx, there, found, model_id=None, job_id=job.id, round_id="1")
        tx.execute("UPDATE jobs SET state = 'done' WHERE id = ?", (job.id,))
        return job.id

    job_id = site.box.appliance.store.write(run)
    desk = console.open(site.box.url, site.people["owner"])
    page = desk.go("/jobs")
    row = page.get_by_role("row").filter(has_text=f"Auto-label {job_id}")
    row.get_by_role("button", name="Undo").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 annotations go back")
    dialog.get_by_role("button", name="Undo it").click()
    expect(page.get_by_role("row").filter(has_text=re.compile(r"done.*Undo \d"))).to_be_visible()
    left = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images/{image['id']}/annotations"))
    assert left["annotations"] == []
    desk.go(f"/projects/{project_id}/history")
    expect(page.locator(".history-log tbody tr")).to_have_count(2)
    page.get_by_label("What", exact=True).select_option("undo")
    expect(page.locator(".history-log tbody tr")).to_have_count(1)
    expect(page.locator(".history-log")).to_contain_text("Job undone")


def test_a_label_merged_on_a_few_images_is_undone_from_the_history(site: Site, console: Console) -> None:
    project_id = site.project()
    bolt, washer = (label["id"] for label in site.labels(project_id))
    site.draw(project_id, site.image(project_id)["id"], bolt)
    site.ok(site.people["owner"].delete(f"/api/projects/{project_id}/labels/{bolt}?merge_into={washer}"), 204)
    page = console.open(site.box.url, site.people["owner"]).go(f"/projects/{project_id}/history")
    page.get_by_title("Only what this job did").click()
    page.get_by_role("button", name=re.compile(r"Undo job \d+")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 annotation goes back")
    with page.expect_response(lambda answer: answer.url.endswith("/undo") and answer.status == 202) as begun:
        dialog.get_by_role("button", name="Undo it").click()
    site.box.appliance.jobs.wait(begun.value.json()["id"], 60)
    assert [label["id"] for label in site.labels(project_id)] == [bolt, washer]


def test_an_image_is_erased_only_with_its_name_typed(site: Site, console: Console) -> None:
    project_id = site.project()
    image = site.image(project_id, "a.png", picture(320, 240))
    desk = console.open(site.box.url, site.people["owner"])
    page = desk.go(f"/projects/{project_id}/annotate?image={image['id']}")
    page.locator("summary", has_text="History").click()
    page.get_by_role("button", name="Erase this image for good").click()
    dialog = page.get_by_role("dialog")
    erase = dialog.get_by_role("button", name="Erase for good")
    dialog.get_by_label("Type a.png").fill("b.png")
    dialog.get_by_label("Why").fill("a face is on it")
    expect(erase).to_be_disabled()
    dialog.get_by_label("Type a.png").fill("a.png")
    erase.click()
    expect(page).to_have_url(re.compile(r"/images$"))
    assert site.people["owner"].get(f"/api/projects/{project_id}/images/{image['id']}").status_code == 404
