"""Every page for everybody: no error, no breach of the CSP, nothing from elsewhere, and light to load."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests._site import Site
from tests.browser._console import Console

FIRST_LOAD_BYTES = 150_000
BOX_PAGES = {"Projects": "Projects", "Jobs": "Jobs", "Models": "Models"}
"""The words of the links, and the headings they lead to."""


@pytest.mark.parametrize("who", ["admin", "owner", "reviewer", "annotator", "outsider"])
def test_the_pages_of_the_box(site: Site, console: Console, who: str) -> None:
    page = console.open(site.box.url, site.people[who]).go("/")
    for link, heading in BOX_PAGES.items():
        page.get_by_role("navigation", name="Box").get_by_role("link", name=link).click()
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
    system = page.get_by_role("navigation", name="Box").get_by_role("link", name="System")
    expect(system).to_have_count(1 if who == "admin" else 0)


@pytest.mark.parametrize("who", ["admin", "owner", "reviewer", "annotator"])
def test_the_pages_of_a_project(site: Site, console: Console, who: str) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    site.approved(project_id, label)
    waiting = site.image(project_id, "waiting.png")
    revision = site.draw(project_id, waiting["id"], label)
    site.ok(site.tell(project_id, site.task(project_id, waiting["id"])["id"], "submit", {"revision": revision}))
    site.image(project_id, "open.png")
    page = console.open(site.box.url, site.people[who]).go(f"/projects/{project_id}/images")
    pages = {
        "Annotate": page.get_by_role("button", name="Submit · 0 drawn · 0 accepted"),
        "Review": page.get_by_role("button", name="Approve"),
        "Dataset": page.get_by_role("heading", name="Snapshots"),
        "Models": page.get_by_role("heading", name="Models"),
        "Insights": page.get_by_role("heading", name="Work by day"),
        "Settings": page.get_by_role("heading", name="Members"),
        "Images": page.get_by_role("link", name="open.png"),
    }
    tabs = page.get_by_role("navigation", name="Project")
    if who == "annotator":
        del pages["Review"]
        expect(tabs.get_by_role("link", name="Annotate")).to_be_visible()
        expect(tabs.get_by_role("link", name="Review")).to_have_count(0)
    for link, shown in pages.items():
        tabs.get_by_role("link", name=link, exact=True).click()
        expect(shown).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("link", name="waiting.png").click()
    expect(page.get_by_role("complementary", name="Objects")).to_contain_text("1 object")


def test_swagger_shows_the_operations(site: Site, console: Console) -> None:
    page = console.open(site.box.url, site.people["admin"]).go("/")
    page.get_by_role("link", name="API").click()
    page.locator(".opblock-tag[data-tag='images']").click()
    expect(page.get_by_text("/api/projects/{project_id}/images", exact=True).first).to_be_visible()


def test_the_grid_needs_little_code(site: Site, console: Console) -> None:
    project_id = site.project()
    site.image(project_id, "a.png")
    desk = console.open(site.box.url, site.people["annotator"])
    scripts = []
    desk.page.on("requestfinished", lambda asked: asked.resource_type == "script" and scripts.append(asked))
    desk.go(f"/projects/{project_id}/images")
    expect(desk.page.get_by_role("link", name="a.png")).to_be_visible()
    sizes = [asked.sizes()["responseBodySize"] for asked in scripts]
    assert scripts
    assert all(asked.response().headers.get("content-encoding") in ("br", "gzip") for asked in scripts)
    assert sum(sizes) <= FIRST_LOAD_BYTES
