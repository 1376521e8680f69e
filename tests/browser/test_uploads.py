"""Uploads as a person sees them: they survive a reload and a restart, and never freeze the page."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests._pictures import encode, scene
from tests._server import PASSWORD, serving_process
from tests._site import Site, picture
from tests.browser._console import Console

_MANY = 10_000
_LONGEST_MS = 300
"""The longest task allowed on a machine that has other work too."""
_AWAY = r"Failed to load resource|ERR_CONNECTION|WebSocket connection"


_TINY_PNGS = """
async (count) => {
  window.longest = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.longest.push(entry.duration);
  }).observe({ type: "longtask" });
  const canvas = new OffscreenCanvas(8, 8);
  const context = canvas.getContext("2d");
  const data = new DataTransfer();
  for (let n = 0; n < count; n++) {
    context.fillStyle = `rgb(${n % 256} ${(n >> 8) % 256} 99)`;
    context.fillRect(0, 0, 8, 8);
    const blob = await canvas.convertToBlob({ type: "image/png" });
    data.items.add(new File([blob], `${n}.png`, { type: "image/png" }));
  }
  window.longest = [];
  const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  document.querySelector("main").dispatchEvent(event);
}
"""


def panel(page: Page) -> Any:
    return page.get_by_role("region", name="Upload")


def finished(page: Page, timeout_ms: int = 60_000) -> None:
    expect(panel(page).get_by_text("Upload finished")).to_be_visible(timeout=timeout_ms)


def images(site: Site, project_id: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = site.ok(
        site.people["owner"].get(f"/api/projects/{project_id}/images", params={"limit": 500})
    )["items"]
    return items


def slowed(page: Page, bytes_per_s: int) -> None:
    """Make the line as slow as a bad one in the field."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    limits = {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
    session.send("Network.emulateNetworkConditions", limits)


def test_files_are_sent_and_each_says_how_it_went(site: Site, console: Console) -> None:
    project_id, same = site.project(), picture()
    site.image(project_id, "there.png", same)
    page = console.open(site.box.url, site.people["annotator"]).go(f"/projects/{project_id}/images")
    files = [("a.png", picture()), ("there.png", same), ("cut.jpg", picture(kind="jpeg")[:500])]
    page.get_by_label("Files to add").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )
    finished(page)
    expect(panel(page).get_by_role("status")).to_have_text("1 image added, 1 here already, 1 failed")
    row = panel(page).get_by_role("listitem").filter(has_text="cut.jpg")
    expect(row).to_contain_text(re.compile("ends before", re.IGNORECASE))
    row.get_by_role("button", name="Retry").click()
    finished(page)
    panel(page).get_by_role("button", name="Close").click()
    expect(panel(page)).to_have_count(0)
    assert {image["name"] for image in images(site, project_id)} == {"a.png", "there.png"}


def test_a_reload_in_mid_upload_goes_on_by_itself(site: Site, console: Console, tmp_path: Path) -> None:
    project_id = site.project()
    page = console.open(site.box.url, site.people["annotator"]).go(f"/projects/{project_id}/images")
    large = picture(1_600, 1_200, "bmp")
    (tmp_path / "large.bmp").write_bytes(large)
    small = [tmp_path / f"{n}.png" for n in range(5)]
    for path in small:
        path.write_bytes(picture())
    slowed(page, 600_000)
    page.get_by_label("Files to add").set_input_files([tmp_path / "large.bmp", *small])
    begun = site.box.appliance.store.incoming
    expect(panel(page).get_by_text(re.compile(r"[1-9][\d.]* MB of 5.8 MB"))).to_be_visible()
    _until(page, _KEPT)
    page.reload()
    finished(page)
    assert {image["name"] for image in images(site, project_id)} == {"large.bmp", *(path.name for path in small)}
    stored = next(image for image in images(site, project_id) if image["name"] == "large.bmp")
    file = site.people["owner"].get(f"/api/projects/{project_id}/images/{stored['id']}/file")
    assert file.content == large
    made = site.box.appliance.store.read(
        lambda r: r.execute("SELECT count(*) FROM uploads WHERE name = 'large.bmp'").fetchall()
    )
    assert made == [(1,)]
    assert list(begun.ids()) == []


_KEPT = """
() => new Promise((resolve) => {
  const opening = indexedDB.open("pixelqueue-uploads");
  opening.onsuccess = () => {
    const asking = opening.result.transaction("files").objectStore("files").getAll();
    asking.onsuccess = () => {
      opening.result.close();
      resolve(asking.result.some((file) => file.file && file.url));
    };
  };
})
"""


def test_a_restart_of_the_box_in_mid_upload_goes_on(console: Console, tmp_path: Path) -> None:
    console.expects(_AWAY)
    large = picture(1_600, 1_200, "bmp")
    (tmp_path / "large.bmp").write_bytes(large)
    with serving_process(tmp_path / "data") as box:
        client = httpx.Client(base_url=box.url, headers={"Origin": box.url})
        facts = {"code": box.code, "email": "a@example.org", "name": "Ada", "password": PASSWORD}
        assert client.post("/api/setup", json=facts).status_code == 201
        project_id = client.post("/api/projects", json={"name": "Parts"}).json()["id"]
        page = console.open(box.url, client).go(f"/projects/{project_id}/images")
        slowed(page, 800_000)
        page.get_by_label("Files to add").set_input_files([tmp_path / "large.bmp"])
        expect(panel(page).get_by_text(re.compile(r"[2-9][\d.]* MB of 5.8 MB"))).to_be_visible()
        box.stop(9)
        expect(panel(page).get_by_role("alert")).to_contain_text("goes on by itself")
    port = int(box.url.rpartition(":")[2])
    with serving_process(tmp_path / "data", port=port):
        finished(page)
        image = client.get(f"/api/projects/{project_id}/images").json()["items"][0]
        assert client.get(f"/api/projects/{project_id}/images/{image['id']}/file").content == large


@pytest.fixture
def coco_folder(tmp_path: Path) -> Path:
    """A folder of four pictures with a COCO file of one box each on three, and a fifth that is missing."""
    folder = tmp_path / "trays"
    (folder / "images").mkdir(parents=True)
    names = [f"{n}.jpg" for n in range(4)]
    for n, name in enumerate(names):
        (folder / "images" / name).write_bytes(encode(scene(120 + 8 * n, 90), "jpeg"))
    entries = [{"id": n, "file_name": name, "width": 120 + 8 * n, "height": 90} for n, name in enumerate(names)]
    entries.append({"id": 9, "file_name": "gone.jpg", "width": 10, "height": 10})
    shapes = [
        {"id": n, "image_id": n, "category_id": n % 2, "bbox": [5, 5, 20, 20], "area": 400, "iscrowd": 0}
        for n in range(3)
    ]
    categories = [{"id": 0, "name": "bolt"}, {"id": 1, "name": "rivet"}]
    coco = {"images": entries, "annotations": shapes, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


def test_a_folder_that_is_a_dataset_is_looked_at_first(site: Site, console: Console, coco_folder: Path) -> None:
    project_id = site.project()
    page = console.open(site.box.url, site.people["owner"]).go(f"/projects/{project_id}/images")
    page.get_by_label("Folder to add").set_input_files(coco_folder)
    dialog = page.get_by_role("dialog", name="trays: COCO JSON")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("4, all new")
    expect(dialog).to_contain_text("5, 3 with annotations")
    expect(dialog).to_contain_text("3 boxes")
    expect(dialog.get_by_role("row", name="bolt")).to_contain_text("same name")
    expect(dialog.get_by_role("row", name="rivet")).to_contain_text("new")
    expect(dialog).to_contain_text("1 image without a picture")
    assert images(site, project_id) == []
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("4", exact=True).first).to_be_visible()
    _until_annotated(page, project_id, 3)
    found = {image["name"]: image["annotations"] for image in images(site, project_id)}
    assert found == {f"trays/images/{n}.jpg": int(n < 3) for n in range(4)}
    assert [label["name"] for label in site.labels(project_id)] == ["bolt", "washer", "rivet"]


def _until_annotated(page: Page, project_id: int, count: int) -> None:
    """Wait until the import has drawn so many objects."""
    _until(page, _ANNOTATED, [f"/api/projects/{project_id}/images?limit=500", count])


def _until(page: Page, condition: str, argument: Any = None) -> None:
    """Ask the page's own world until it says yes: `wait_for_function` takes any promise for one."""
    page.evaluate(
        f"""async (argument) => {{
      while (!(await ({condition})(argument))) await new Promise((resolve) => setTimeout(resolve, 50));
    }}""",
        argument,
    )


_ANNOTATED = """
async ([url, count]) => {
  const { items } = await (await fetch(url)).json();
  return items.reduce((sum, image) => sum + image.annotations, 0) === count;
}
"""


def test_a_dataset_may_be_dropped_again_or_only_its_pictures_taken(
    site: Site, console: Console, coco_folder: Path
) -> None:
    project_id = site.project()
    page = console.open(site.box.url, site.people["annotator"]).go(f"/projects/{project_id}/images")
    page.get_by_label("Folder to add").set_input_files(coco_folder)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Only an admin of the project may import annotations")
    expect(dialog.get_by_role("button", name="Import", exact=True)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(panel(page)).to_contain_text("COCO JSON, waits for your decision")
    panel(page).get_by_role("button", name="Look").click()
    dialog.get_by_role("button", name="Cancel").click()
    expect(panel(page)).to_have_count(0)
    assert images(site, project_id) == []
    page.get_by_label("Folder to add").set_input_files(coco_folder)
    dialog.get_by_role("button", name="Only the pictures").click()
    finished(page)
    assert [image["annotations"] for image in images(site, project_id)] == [0] * 4
    assert len(site.labels(project_id)) == 2


def test_an_archive_survives_a_reload_before_it_is_decided(site: Site, console: Console, coco_folder: Path) -> None:
    project_id, out = site.project(), io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(coco_folder.rglob("*")):
            archive.write(path, path.relative_to(coco_folder.parent))
    page = console.open(site.box.url, site.people["owner"]).go(f"/projects/{project_id}/images")
    sent = {"name": "set.zip", "mimeType": "application/zip", "buffer": out.getvalue()}
    page.get_by_label("Files to add").set_input_files([sent])
    dialog = page.get_by_role("dialog", name="set.zip: COCO JSON")
    expect(dialog).to_be_visible()
    _until(page, _DECIDED)
    page.reload()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Import", exact=True).click()
    _until_annotated(page, project_id, 3)
    assert len(images(site, project_id)) == 4


_DECIDED = _KEPT.replace("file.file && file.url", "!file.file && file.url")


def test_ten_thousand_files_do_not_freeze_the_page(site: Site, console: Console) -> None:
    project_id = site.project()
    page = console.open(site.box.url, site.people["owner"]).go(f"/projects/{project_id}/images")
    page.evaluate(_TINY_PNGS, _MANY)
    expect(panel(page).get_by_text(f"of {_MANY:,}")).to_be_visible()
    expect(panel(page).get_by_text(re.compile(r"^[2-9]\d\d of"))).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Pause").click()
    expect(panel(page).get_by_role("alert")).to_contain_text("Paused")
    page.get_by_role("button", name="Go on").click()
    expect(panel(page).get_by_text(re.compile(r"^([4-9]\d\d|[1-9],\d{3}) of"))).to_be_visible(timeout=60_000)
    longest = sorted(page.evaluate("window.longest"))
    page.get_by_role("button", name="Cancel the rest").click()
    finished(page)
    total = site.ok(site.people["owner"].get(f"/api/projects/{project_id}"))["images"]
    assert 400 <= total < _MANY
    assert not longest or longest[-1] < _LONGEST_MS, longest[-10:]
