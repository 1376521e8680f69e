"""The main job in the browser: from the claim code to a dataset that pycocotools opens."""

from __future__ import annotations

import base64
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pycocotools.coco import COCO

from tests._onnx import dense_head, write_model
from tests._server import PASSWORD, Serving, serving
from tests.browser._console import Console, Desk

BROKEN = b"\xff\xd8\xff\xe0 not a picture"
DROP = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type: "image/jpeg" }));
    const target = document.querySelector("main.browse");
    for (const kind of ["dragover", "drop"])
        target.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
RECORD = """(selector) => {
    window.said = [];
    const look = () => {
        const text = document.querySelector(selector)?.textContent;
        if (text && text !== window.said.at(-1)) window.said.push(text);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""

# Each event in a message of its own, so that the page draws every state a fast job goes through.
APART = """
    const Native = WebSocket;
    window.WebSocket = function (address) { return new Native(address.replace("together=true", "together=false")); };
"""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Serving]:
    """A box that nobody has claimed."""
    with serving(tmp_path / "data", image_children=1) as running:
        yield running


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A model that finds one washer and one bolt at fixed places of every picture."""
    head = dense_head([(20, 24, 16, 12, 0.9, 0), (44, 36, 12, 14, 0.6, 1)])
    return write_model(tmp_path / "constant.onnx", [head])


def claim(page: Page, code: str | None) -> None:
    assert code is not None
    page.get_by_label("Claim code").fill(code)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Email").fill("admin@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Claim").click()


def make_project(page: Page) -> None:
    page.get_by_role("button", name="New project").click()
    page.get_by_label("Name", exact=True).fill("Parts")
    page.get_by_label("Labels, one a line").fill("washer, bolt")
    page.get_by_label("Review", exact=True).select_option("all")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("No images yet")).to_be_visible()


def add_pictures(page: Page, pictures: list[bytes]) -> None:
    """Choose four files, one of them broken, and drop two more."""
    chosen = [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": data} for n, data in enumerate(pictures[:3])]
    broken = {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": BROKEN}
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add images").click()
    chooser.value.set_files([chosen[0], broken, *chosen[1:]])
    for n, data in enumerate(pictures[3:], 3):
        page.evaluate(DROP, [f"{n}.jpg", base64.b64encode(data).decode()])
    panel = page.get_by_role("region", name="Upload")
    expect(panel.get_by_text("Upload finished")).to_be_visible()
    expect(panel.get_by_role("status")).to_have_text("5 images added, 1 failed")
    expect(panel.get_by_role("listitem")).to_contain_text(re.compile(r"^broken\.jpg.*(picture|image|JPEG)"))
    expect(page.get_by_role("list", name="Images").get_by_role("link")).to_have_count(5)


def add_model(desk: Desk, weights: Path) -> None:
    page = desk.page
    page.get_by_role("link", name="Models").click()
    page.get_by_role("button", name="Add a model").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(weights)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Use in this project").click()
    expect(page.get_by_role("button", name="Stop using")).to_be_visible()


def auto_label(desk: Desk) -> None:
    page = desk.page
    page.get_by_role("link", name="Images", exact=True).click()
    page.evaluate(RECORD, ".job-line")
    page.get_by_role("button", name="Auto-label").click()
    page.get_by_role("dialog").get_by_role("button", name="Start").click()
    expect(page.locator(".job-line")).to_contain_text("Auto-labeldone")
    expect(page.get_by_title("2 predictions")).to_have_count(5)
    said = page.evaluate("window.said")
    assert any(re.search(r"\d of 5|running", text) for text in said), said
    jobs = [event["job"] for event in desk.events("job.changed") if event["job"]["kind"] == "auto-label"]
    assert [job["state"] for job in jobs][-1] == "done"
    assert {job["progress"] for job in jobs if job["state"] == "running"} & {1, 2, 3, 4, 5}, jobs


def annotate(desk: Desk) -> None:
    """Accept one prediction and draw a box on the first image, accept both on the second, submit."""
    page = desk.page
    desk.objects(2)
    page.keyboard.press("Tab")
    page.keyboard.press("y")
    desk.draw(0.55, 0.2, 0.7, 0.4)
    desk.objects(3)
    expect(page.get_by_role("button", name="Submit · 1 drawn · 1 accepted")).to_be_enabled()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("listitem").filter(has_text="Submitted")).to_have_count(1)
    desk.objects(2)
    page.keyboard.press("Shift+Y")
    expect(page.get_by_role("button", name="Submit · 0 drawn · 2 accepted")).to_be_enabled()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("listitem").filter(has_text="Submitted")).to_have_count(2)


def review(page: Page) -> None:
    """Approve one, return the other, think better of it, return it after all."""
    approve = page.get_by_role("button", name="Approve")
    expect(page.get_by_text("2 in review")).to_be_visible()
    expect(approve).to_be_enabled()
    page.keyboard.press("y")
    expect(page.get_by_text("last: approved")).to_be_visible()
    expect(approve).to_be_enabled()
    page.keyboard.press("x")
    page.keyboard.press("2")
    expect(page.get_by_text("you judged 2 images")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.get_by_text("last: approved")).to_be_visible()
    expect(approve).to_be_enabled()
    page.keyboard.press("x")
    page.keyboard.press("2")
    expect(page.get_by_text("you judged 2 images")).to_be_visible()


def fix(desk: Desk) -> None:
    """The returned image is on top, with its reason; give the first object the other label."""
    page = desk.page
    page.get_by_role("link", name="Images", exact=True).click()
    returned = page.get_by_role("link", name=re.compile("Returned"))
    expect(returned).to_have_count(1)
    name = returned.get_attribute("title")
    page.get_by_role("link", name="Annotate", exact=True).click()
    expect(page.get_by_role("img", name=f"{name}, 2 objects")).to_be_visible()
    expect(page.get_by_text("Returned by reviewer: wrong label")).to_be_visible()
    desk.objects(2)
    page.keyboard.press("Tab")
    page.keyboard.press("2")
    expect(page.get_by_role("complementary", name="Objects").get_by_role("button", name="bolt 2")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("listitem").filter(has_text="Submitted")).to_have_count(1)


def export(desk: Desk) -> Path:
    page = desk.page
    page.get_by_role("link", name="Dataset").click()
    expect(page.get_by_text("2 of 5 images done")).to_be_visible()
    page.evaluate(RECORD, ".running")
    page.get_by_role("button", name="Export").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    states = [event["job"]["state"] for event in desk.events("job.changed") if event["job"]["kind"] == "export"]
    assert states[-1] == "done"
    assert "running" in states
    assert any("Export" in text for text in page.evaluate("window.said"))
    return Path(download.value.path())


def test_from_the_claim_code_to_a_dataset(
    box: Serving, console: Console, pictures: list[bytes], weights: Path, tmp_path: Path
) -> None:
    console.expects(r"Failed to load resource: .*(415|422) .*name=broken\.jpg")
    admin = console.open(box.url)
    admin.page.add_init_script(APART)
    claim(admin.go("/"), box.code)
    make_project(admin.page)
    project_id = int(admin.page.url.split("/")[-2])
    for name in ("reviewer", "annotator"):
        box.join(box.person(name), project_id, name)  # type: ignore[arg-type]
    add_pictures(admin.page, pictures)
    add_model(admin, weights)
    auto_label(admin)

    annotator, reviewer = (console.open(box.url, box.signed_in(name)) for name in ("annotator", "reviewer"))
    annotator.go(f"/projects/{project_id}/annotate")
    annotate(annotator)
    review(reviewer.go(f"/projects/{project_id}/review"))
    fix(annotator)
    expect(reviewer.page.get_by_role("button", name="Approve")).to_be_enabled()
    reviewer.page.keyboard.press("y")
    expect(reviewer.page.get_by_text("you judged 3 images")).to_be_visible()

    with zipfile.ZipFile(export(admin)) as archive:
        archive.extractall(tmp_path / "dataset")
    dataset = COCO(str(next((tmp_path / "dataset").rglob("annotations.json"))))
    assert len(dataset.getImgIds()) == 2
    names = {c["id"]: c["name"] for c in dataset.loadCats(dataset.getCatIds())}
    found = Counter(names[a["category_id"]] for a in dataset.loadAnns(dataset.getAnnIds()))
    assert found == _approved(box, project_id)
    assert sum(found.values()) == 4
    assert {image["file_name"] for image in dataset.loadImgs(dataset.getImgIds())} == _done(box, project_id)


def _done(box: Serving, project_id: int) -> set[str]:
    """Return the names of the images whose review is over."""
    answer = box.signed_in("reviewer").get(f"/api/projects/{project_id}/images", params={"state": "done"})
    return {image["name"] for image in answer.json()["items"]}


def _approved(box: Serving, project_id: int) -> Counter[str]:
    """Count what the box holds as approved, by label."""
    client = box.signed_in("reviewer")
    base = f"/api/projects/{project_id}"
    names = {one["id"]: one["name"] for one in client.get(f"{base}/labels").json()["items"]}
    found: Counter[str] = Counter()
    for image in client.get(f"{base}/images").json()["items"]:
        present = client.get(f"{base}/images/{image['id']}/annotations").json()["annotations"]
        found.update(names[a["label_id"]] for a in present if a["status"] == "approved")
    return found
