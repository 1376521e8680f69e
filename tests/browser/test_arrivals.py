"""What comes to an image while somebody is at work on it: predictions, other people's versions, late work."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests._onnx import dense_head, write_model
from tests._site import Site, box, diff, picture
from tests.browser._console import Console, Desk

OFFLINE = r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|net::ERR_"
REFUSED = r"409 .*/annotations$"
SAID = {"names": "{0: 'bolt', 1: 'washer'}", "task": "detect", "stride": "32", "imgsz": "[64, 64]"}
TWO = ((20, 24, 16, 12, 0.9, 0), (44, 36, 12, 14, 0.6, 1))


@pytest.fixture(scope="module")
def model_id(site: Site, tmp_path_factory: pytest.TempPathFactory) -> int:
    """A model that finds a bolt and a washer at fixed places of every picture."""
    path = write_model(tmp_path_factory.mktemp("weights") / "two.onnx", [dense_head(TWO)], metadata=SAID)
    sent = site.people["operator"].post("/api/models", params={"name": "two.onnx"}, content=path.read_bytes())
    return int(site.ok(sent, 201)["id"])


def auto_label(site: Site, project_id: int, image_id: int, model_id: int) -> None:
    url, body = f"/api/projects/{project_id}/auto-label", {"model_id": model_id, "image_ids": [image_id]}
    job = site.finished(site.people["annotator"].post(url, json=body))
    assert job.state == "done", job.error


def one_image(site: Site) -> tuple[int, int]:
    project_id = site.project()
    return project_id, site.image(project_id, "a.png", picture(320, 240))["id"]


def rows(page: Page) -> Any:
    return page.locator(".objects li:not(.group)")


def held(site: Site, project_id: int, image_id: int) -> dict[str, Any]:
    """Return the geometries the box holds, by annotation."""
    answer = site.people["owner"].get(f"/api/projects/{project_id}/images/{image_id}/annotations")
    return {one["id"]: one["geometry"] for one in site.ok(answer)["annotations"]}


def test_predictions_wait_while_somebody_draws(site: Site, console: Console, model_id: int) -> None:
    project_id, image_id = one_image(site)
    desk = console.open(site.box.url, site.people["annotator"])
    page = desk.go(f"/projects/{project_id}/annotate?image={image_id}")
    desk.objects(0)
    desk.draw(0.8, 0.7, 0.85, 0.8)
    desk.saved(1)
    area = page.locator(".canvas").bounding_box()
    assert area is not None
    page.keyboard.press("p")
    for x, y in ((0.2, 0.7), (0.3, 0.7)):
        page.mouse.click(area["x"] + area["width"] * x, area["y"] + area["height"] * y)
    status = page.locator("footer.status")
    expect(status.get_by_text("2 points")).to_be_visible()
    auto_label(site, project_id, image_id, model_id)
    chip = page.get_by_role("status").filter(has_text="2 predictions")
    expect(chip).to_be_visible()
    expect(page.get_by_role("button", name="Polygon", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(status.get_by_text("2 points")).to_be_visible()
    expect(page.locator(".objects li.hid")).to_have_count(2)
    page.mouse.click(area["x"] + area["width"] * 0.25, area["y"] + area["height"] * 0.85)
    page.keyboard.press("Enter")
    desk.objects(4)
    expect(chip).to_be_visible()
    chip.get_by_role("button", name="Show").click()
    expect(chip).to_have_count(0)
    expect(page.locator(".objects li.hid")).to_have_count(0)
    for left in (3, 2):
        page.keyboard.press("Control+z")
        desk.objects(left)
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_disabled()


def test_predictions_show_at_once_on_an_untouched_image(site: Site, console: Console, model_id: int) -> None:
    project_id, image_id = one_image(site)
    desk = console.open(site.box.url, site.people["annotator"])
    page = desk.go(f"/projects/{project_id}/annotate?image={image_id}")
    desk.objects(0)
    auto_label(site, project_id, image_id, model_id)
    desk.objects(2)
    expect(page.locator(".objects li.hid")).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="predictions")).to_have_count(0)
    page.locator(".canvas").focus()
    page.keyboard.press("Tab")
    row = page.locator(".objects li.on")
    name = row.locator(".cut")
    assert name.evaluate("(element) => element.scrollWidth <= element.clientWidth")
    row.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("button", name="Submit · 0 drawn · 1 accepted")).to_be_visible()
    row.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("button", name="Rejected 1")).to_be_visible()


@pytest.mark.parametrize("choice", ["mine", "theirs", "both"])
def test_two_people_reshape_one_box(site: Site, console: Console, choice: str) -> None:
    console.expects(OFFLINE)
    console.expects(REFUSED)
    project_id, image_id = one_image(site)
    shape = box(site.labels(project_id)[0]["id"], at=100)
    site.ok(site.save(project_id, image_id, diff(0, added=[shape])))
    mine, theirs = (console.open(site.box.url, site.people[who]) for who in ("annotator", "reviewer"))
    for desk in (mine, theirs):
        desk.go(f"/projects/{project_id}/annotate?image={image_id}")
        desk.objects(1)
    mine.page.context.set_offline(True)
    moved(mine, "ArrowRight")
    expect(mine.page.get_by_text("Offline · 1 change kept", exact=True)).to_be_visible()
    moved(theirs, "ArrowDown")
    theirs.saved(2)
    mine.page.context.set_offline(False)
    mine.objects(2)
    alert = mine.page.get_by_role("alert").filter(has_text="both versions are here")
    alert.get_by_role("button", name=f"Keep {choice}").click()
    expect(alert).to_have_count(0)
    mine.objects(2 if choice == "both" else 1)
    mine.saved({"both": 3, "mine": 4, "theirs": 4}[choice])
    theirs.objects(2 if choice == "both" else 1)
    geometry = shape["geometry"]
    versions = {
        "mine": {**geometry, "x1": geometry["x1"] + 1, "x2": geometry["x2"] + 1},
        "theirs": {**geometry, "y1": geometry["y1"] + 1, "y2": geometry["y2"] + 1},
    }
    kept = held(site, project_id, image_id)
    assert kept[shape["id"]] == versions["mine" if choice == "mine" else "theirs"]
    if choice == "both":
        assert versions["mine"] in kept.values()


def moved(desk: Desk, key: str) -> None:
    """Move the only object by a pixel."""
    rows(desk.page).locator("button").first.click()
    desk.page.keyboard.press(key)


class Late:
    """An image in review for which the annotator has handed in more, too late."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.project_id, self.image_id = one_image(site)
        label = site.labels(self.project_id)[0]["id"]
        self.drawn, self.added = box(label, at=40), box(label, at=150)
        site.ok(site.save(self.project_id, self.image_id, diff(0, added=[self.drawn])))
        task = site.task(self.project_id, self.image_id)
        site.ok(site.tell(self.project_id, task["id"], "submit", {"revision": 1}))

    def hand_in(self) -> None:
        moved = {**self.drawn, "geometry": {**self.drawn["geometry"], "x2": 90.0}}
        body = diff(1, added=[self.added], changed=[moved])
        url = f"/api/projects/{self.project_id}/images/{self.image_id}/late"
        self.site.ok(self.site.people["annotator"].post(url, json=body))


def overlay_whites(page: Page) -> int:
    """Count the white pixels that lie over the shapes."""
    count: int = page.evaluate(
        """() => {
            const layer = document.querySelector(".canvas .layer.overlay");
            const { width, height } = layer;
            const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
            copy.drawImage(layer, 0, 0);
            const { data } = copy.getImageData(0, 0, width, height);
            let n = 0;
            for (let i = 0; i < data.length; i += 4) n += data[i] + data[i + 1] + data[i + 2] + data[i + 3] === 1020;
            return n;
        }"""
    )
    return count


def test_a_reviewer_looks_at_late_work_and_applies_it(site: Site, console: Console) -> None:
    late = Late(site)
    desk = console.open(site.box.url, site.people["reviewer"])
    page = desk.go(f"/projects/{late.project_id}/review")
    expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    late.hand_in()
    chip = page.get_by_role("status").filter(has_text="Late work by annotator · 2 changes")
    expect(chip).to_be_visible()
    before = overlay_whites(page)
    chip.get_by_role("button", name="Show").click()
    expect(chip.get_by_role("button", name="Hide")).to_be_visible()
    page.wait_for_function(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
    )
    assert overlay_whites(page) > before + 100
    chip.get_by_role("button", name="Apply").click()
    expect(chip).to_have_count(0)
    desk.objects(2)
    kept = held(site, late.project_id, late.image_id)
    assert kept[late.added["id"]] == late.added["geometry"]
    assert kept[late.drawn["id"]]["x2"] == 90.0
    page.keyboard.press("y")
    expect(page.get_by_text("you judged 1 image")).to_be_visible()
    expect(page.get_by_text("Sending")).to_have_count(0)
    assert site.task(late.project_id, late.image_id)["state"] == "done"


def test_late_work_is_left_out_while_browsing(site: Site, console: Console) -> None:
    late = Late(site)
    late.hand_in()
    path = f"/projects/{late.project_id}/annotate?image={late.image_id}"
    desk, other = (console.open(site.box.url, site.people[who]) for who in ("owner", "annotator"))
    chip = desk.go(path).get_by_role("status").filter(has_text="Late work")
    expect(chip).to_contain_text("2 changes")
    other.go(path)
    other.objects(1)
    expect(other.page.get_by_text("In review", exact=False)).to_be_visible()
    expect(other.page.get_by_text("Late work", exact=False)).to_have_count(0)
    chip.get_by_role("button", name="Dismiss").click()
    expect(chip).to_have_count(0)
    assert held(site, late.project_id, late.image_id) == {late.drawn["id"]: late.drawn["geometry"]}
