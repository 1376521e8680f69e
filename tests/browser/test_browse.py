"""The grid over 100,000 images: it scrolls, finds, selects and changes them, by mouse and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests._many import many_images
from tests._pictures import encode, scene
from tests._site import Site, box, diff, picture, site_at
from tests.browser._console import Console
from tests.browser.test_nothing_lost import until

PIXELS = """() => [...document.querySelectorAll(".cell:not([hidden]) canvas:not([hidden])")].reduce((sum, canvas) =>
    sum + canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i, all) =>
        i % 4 === 3 && all[i] === 255).length, 0)"""
PAINTED = f"(n) => (({PIXELS})() > 0) === (n > 0)"

COUNT = 100_000
FRAMES = """() => new Promise((resolve) => {
    const grid = document.querySelector('.grid'), gaps = [], blank = [];
    const long = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration)));
    const tasks = [];
    long.observe({ type: 'longtask' });
    let last = performance.now(), step = 0;
    const frame = (now) => {
        gaps.push(now - last);
        last = now;
        const area = grid.getBoundingClientRect();
        const under = document.elementFromPoint(area.left + area.width / 2, area.top + area.height / 2);
        if (!under || !under.closest('.cell')) blank.push(step);
        if (step++ < 120) { grid.scrollTop += 300; requestAnimationFrame(frame); }
        else {
            long.disconnect();
            resolve({ gaps, blank: blank.length, tasks, cells: grid.querySelectorAll('.cell').length });
        }
    };
    requestAnimationFrame(frame);
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("many") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def project(site: Site) -> int:
    project_id = site.project()
    pictures = [encode(scene(160 + 16 * n, 120), "jpeg") for n in range(5)]
    many_images(site.box.appliance.store, project_id, COUNT, pictures)
    return project_id


def named(number: int) -> str:
    return f'a[title="day-{number // 5000:03d}/IMG_{number:07d}.jpg"]'


def counted(page: Page, words: str) -> None:
    expect(page.locator(".toolbar .tally")).to_have_text(words)


def ids(client: httpx.Client, project_id: int, **query: str) -> int:
    return int(client.get(f"/api/projects/{project_id}/images/count", params=query).json()["images"])


def test_a_hundred_thousand_images_scroll_to_the_end(site: Site, project: int, console: Console) -> None:
    page = console.open(site.box.url, site.people["annotator"]).go(f"/projects/{project}/images")
    counted(page, "100,000 images")
    expect(page.locator(named(COUNT - 1))).to_be_visible()
    seen = page.evaluate(FRAMES)
    assert seen["blank"] == 0
    assert seen["cells"] < 300
    print(f"frames: {sorted(seen['gaps'])[-6]:.0f} ms at the 95th percentile, long tasks: {seen['tasks']}")
    page.locator(".grid").evaluate("grid => { grid.scrollTop = grid.scrollHeight; }")
    last = page.locator(named(0))
    expect(last).to_be_visible()
    expect(last).to_contain_text("Open")
    expect(last.locator("img")).to_have_js_property("naturalWidth", 160)
    box, grid = last.bounding_box(), page.locator(".grid").bounding_box()
    assert box is not None
    assert grid is not None
    assert box["y"] + box["height"] <= grid["y"] + grid["height"] + 1


def test_filters_stand_in_the_address_and_survive_a_reload(site: Site, project: int, console: Console) -> None:
    page = console.open(site.box.url, site.people["annotator"]).go(f"/projects/{project}/images")
    page.get_by_label("Done").check()
    counted(page, "20,000 of 100,000 images")
    page.get_by_label("Find by name").fill("IMG_00123")
    counted(page, "20 of 100,000 images")
    page.get_by_role("button", name="Folder", exact=True).click()
    page.locator(".choice", has_text="day-002").get_by_role("checkbox").check()
    page.get_by_label("Order").select_option("By name")
    expect(page).to_have_url(re.compile(r"state=done&text=IMG_00123&folder=%2Fday-002&sort=name$"))
    page.reload()
    counted(page, "20 of 100,000 images")
    expect(page.get_by_label("Find by name")).to_have_value("IMG_00123")
    expect(page.locator(".grid .cell:not([hidden])").first.locator("a")).to_have_attribute(
        "href", re.compile(r"/images/\d+\?state=done&folder=%2Fday-002&text=IMG_00123&sort=name")
    )
    page.get_by_role("button", name="“IMG_00123”").click()
    counted(page, "1,000 of 100,000 images")
    page.get_by_label("Find by name").fill("no such name")
    expect(page.get_by_text("No image matches these filters.")).to_be_visible()
    page.get_by_role("button", name="Clear filters").last.click()
    counted(page, "100,000 images")


def test_the_keyboard_alone_finds_selects_assigns_and_takes_back(site: Site, project: int, console: Console) -> None:
    owner = site.people["owner"]
    page = console.open(site.box.url, owner).go(f"/projects/{project}/images")
    expect(page.locator(named(COUNT - 1))).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator(named(0))).to_be_visible()
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    page.keyboard.press("PageUp")
    expect(page.locator(f".focused {named(COUNT - 1)}")).to_be_visible()
    page.keyboard.press("Space")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp"):
        page.keyboard.press(f"Shift+{key}")
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Assign 3 images")
    dialog.get_by_label("To").select_option(label="annotator")
    dialog.get_by_role("button", name="Assign").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 images assigned to annotator, 1 stays as it is")).to_be_visible()
    assert ids(owner, project, assignee=str(site.ids["annotator"])) == 2
    expect(page.locator(".cell .person", has_text="A")).to_have_count(2)
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".cell .person", has_text="A")).to_have_count(0)
    assert ids(owner, project, assignee="0") == COUNT
    page.keyboard.press("Control+a")
    expect(page.get_by_text("100,000 selected")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("toolbar", name="Selected images")).to_have_count(0)


def test_a_few_images_reopened_are_done_again_with_one_press(site: Site, console: Console) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    kept, edited = site.approved(project_id, label), site.approved(project_id, label)
    page = console.open(site.box.url, site.people["owner"]).go(f"/projects/{project_id}/images")
    expect(page.locator(".cell").nth(1)).to_be_visible()
    page.keyboard.press("Home")
    page.keyboard.press("Control+a")
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.keyboard.press("r")
    page.get_by_role("dialog", name="Reopen 2 images?").get_by_role("button", name="Reopen").click()
    expect(page.get_by_text("2 images open again")).to_be_visible()
    site.draw(project_id, edited["id"], label, 2)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 image as before, 1 stays as somebody left it since")).to_be_visible()
    assert [site.task(project_id, image["id"])["state"] for image in (kept, edited)] == ["done", "in_progress"]


def test_all_that_match_are_deleted_and_every_grid_keeps_up(site: Site, project: int, console: Console) -> None:
    owner = site.people["owner"]
    before = ids(owner, project)
    page = console.open(site.box.url, owner).go(f"/projects/{project}/images?text=IMG_00432")
    counted(page, "100 of 100,000 images")
    watching = console.open(site.box.url, site.people["annotator"]).go(f"/projects/{project}/images?text=IMG_0043")
    counted(watching, "1,000 of 100,000 images")
    page.locator(named(43_299)).click(modifiers=["Control"])
    page.locator(named(43_290)).click(modifiers=["Shift"])
    expect(page.get_by_text("10 selected")).to_be_visible()
    page.get_by_role("button", name="All 100").click()
    page.keyboard.press("Delete")
    page.get_by_role("dialog", name="Delete 100 images?").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("100 images deleted")).to_be_visible()
    expect(page.get_by_text("No image matches these filters.")).to_be_visible()
    assert ids(owner, project) == before - 100
    counted(watching, "900 of 99,900 images")


def test_annotations_show_over_the_thumbnails_and_keep_up(site: Site, console: Console) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]
    image = site.image(project_id, "a.png", picture(320, 240))
    site.image(project_id, "empty.png")
    site.ok(site.save(project_id, image["id"], diff(0, added=[box(label["id"], at=40)])))
    console.expects("willReadFrequently")
    desk = console.open(site.box.url, site.people["annotator"])
    page = desk.go(f"/projects/{project_id}/images")
    expect(page.get_by_role("link", name="a.png")).to_be_visible()
    expect(page.locator(".cell canvas")).to_have_count(0)
    page.keyboard.press("o")
    until(page, PAINTED, 1)
    page.reload()
    until(page, PAINTED, 1)
    drawn = page.evaluate(PIXELS)
    site.ok(site.save(project_id, image["id"], diff(1, added=[box(label["id"], at=120)])))
    until(page, f"(before) => ({PIXELS})() > before", drawn)
    page.get_by_role("button", name="Hide annotations").click()
    until(page, PAINTED, 0)
