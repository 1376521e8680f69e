"""A new user alone: from the claim code over ten pictures to a dataset, by what the pages say and nothing else."""

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

from tests._server import Serving, serving
from tests._shared import shared
from tests.browser._console import Console, Desk
from tests.browser.test_main_job import claim
from tests.browser.test_queues import shoot

MANY = 10
DROP = """(files) => {
    const data = new DataTransfer();
    for (const [name, content] of files) {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        data.items.add(new File([bytes], name, { type: "image/jpeg" }));
    }
    const target = document.querySelector("main.browse");
    for (const kind of ["dragover", "drop"])
        target.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Serving]:
    """A box that nobody has claimed."""
    with serving(tmp_path / "data", image_children=1) as running:
        yield running


@pytest.fixture(scope="module")
def photographs() -> list[Path]:
    return sorted(shared("data/coco128/images").rglob("*.jpg"))[:MANY]


def start(page: Page) -> None:
    """The only button of the empty page makes a project; only a name is asked for."""
    expect(page.get_by_text("You are not in a project yet")).to_be_visible()
    shoot(page, "new-user-projects")
    page.get_by_role("button", name="New project").click()
    shoot(page, "new-user-new-project")
    page.get_by_label("Name", exact=True).fill("Street")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No images yet")).to_be_visible()
    shoot(page, "new-user-no-images")


def drop(page: Page, photographs: list[Path]) -> None:
    page.evaluate(DROP, [(path.name, base64.b64encode(path.read_bytes()).decode()) for path in photographs])
    panel = page.get_by_role("region", name="Upload")
    expect(panel.get_by_role("status")).to_have_text(f"{MANY} images added")
    expect(page.get_by_role("list", name="Images").get_by_role("link")).to_have_count(MANY)
    shoot(page, "new-user-uploaded")
    panel.get_by_role("link", name="Begin annotating").click()


def add_labels(page: Page) -> None:
    """Where there is nothing to draw with, the workbench asks for the first label."""
    expect(page.get_by_text("Add a label first")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(", 0 objects$"))).to_be_visible()
    shoot(page, "new-user-no-labels")
    expect(page.get_by_label("First label")).to_be_focused()
    page.keyboard.type("person")
    page.keyboard.press("Enter")
    palette = page.get_by_role("list", name="Labels")
    expect(palette.get_by_role("button", name="person")).to_be_visible()
    shoot(page, "new-user-first-label")
    page.get_by_role("button", name="Add a label").click()
    page.get_by_label("New label").fill("car")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Edit car")).to_be_visible()
    shoot(page, "new-user-settings")


def label(desk: Desk) -> None:
    page = desk.page
    page.get_by_role("link", name="Annotate", exact=True).click()
    for number in range(MANY):
        desk.objects(0)
        page.keyboard.press("1" if number % 2 else "2")
        desk.draw(0.4, 0.35, 0.6, 0.65)
        desk.objects(1)
        if number in (0, 1):
            shoot(page, f"new-user-drawn-{number}")
        page.get_by_role("button", name="Submit · 1 drawn · 0 accepted").click()
    expect(page.get_by_text(f"Everything is done: {MANY} images")).to_be_visible()
    shoot(page, "new-user-all-done")


def export(desk: Desk) -> Path:
    page = desk.page
    page.get_by_role("link", name="Dataset", exact=True).first.click()
    expect(page.get_by_text(f"{MANY} of {MANY} images done")).to_be_visible()
    shoot(page, "new-user-dataset")
    page.get_by_role("button", name="Make snapshot").first.click()
    page.get_by_label("Name", exact=True).fill("first")
    shoot(page, "new-user-snapshot")
    page.get_by_role("dialog").get_by_role("button", name="Make snapshot").click()
    expect(page.get_by_role("row", name=re.compile("^first "))).to_be_visible()
    page.get_by_role("button", name="Export").first.click()
    shoot(page, "new-user-export")
    page.get_by_role("dialog").get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    shoot(page, "new-user-exported")
    return Path(download.value.path())


def test_ten_pictures_become_a_dataset(
    box: Serving, console: Console, photographs: list[Path], tmp_path: Path
) -> None:
    desk = console.open(box.url)
    claim(desk.go("/"), box.code)
    start(desk.page)
    drop(desk.page, photographs)
    add_labels(desk.page)
    label(desk)
    with zipfile.ZipFile(export(desk)) as archive:
        archive.extractall(tmp_path / "dataset")
    dataset = COCO(str(next((tmp_path / "dataset").rglob("annotations.json"))))
    assert {image["file_name"] for image in dataset.loadImgs(dataset.getImgIds())} == {p.name for p in photographs}
    names = {c["id"]: c["name"] for c in dataset.loadCats(dataset.getCatIds())}
    found = Counter(names[a["category_id"]] for a in dataset.loadAnns(dataset.getAnnIds()))
    assert found == {"person": MANY // 2, "car": MANY // 2}
