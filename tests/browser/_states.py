"""States of pages that have to be brought about: by other people, a broken line, or what somebody drops."""

from __future__ import annotations

import json
import re
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests._pictures import encode, scene
from tests.browser._console import Console, Desk

__all__ = ["STATES", "Stage"]

_LABELS = [{"name": name} for name in ("bolt", "nut", "screw", "spring", "washer")]
_DATASET = re.compile(r"^\w+: COCO JSON")


@dataclass
class Stage:
    """A served demo, its people, and pages of one kind of screen."""

    console: Console
    url: str
    people: dict[str, httpx.Client]
    options: dict[str, Any]
    ids: dict[str, int] = field(default_factory=dict)

    def open(self, who: str | None, path: str) -> Page:
        """Open a page as one of the people, or as a visitor."""
        return self.desk(self.people[who] if who else None).go(path)

    def desk(self, client: httpx.Client | None) -> Desk:
        """Open a page that nothing has been loaded into."""
        return self.console.open(self.url, client, **self.options)

    def post(self, path: str, body: Any = None, who: str = "admin") -> Any:
        """Post as one of the people and return the answer."""
        answer = self.people[who].post(path, json=body).raise_for_status()
        return answer.json() if answer.content else None

    def project(self, name: str, pictures: int = 1, **policy: Any) -> tuple[int, list[int]]:
        """Make a project of everybody with some of the demo's pictures; return its id and those of its images."""
        body = {"name": name, "labels": _LABELS, "review_policy": {"images": "all", **policy}}
        project_id = self.post("/api/projects", body)["id"]
        for who in ("reviewer", "annotator"):
            url = f"/api/projects/{project_id}/members/{self._id(who)}"
            self.people["admin"].put(url, json={"role": who}).raise_for_status()
        return project_id, [self._picture(project_id, n + 1) for n in range(pictures)]

    def annotate(
        self, project_id: int, image_id: int, revision: int = 0, who: str = "annotator", **changes: Any
    ) -> None:
        """Save a change of an image's annotations."""
        body = {"diff_id": secrets.token_urlsafe(12), "revision": revision, **changes}
        self.post(f"/api/projects/{project_id}/images/{image_id}/annotations", body, who)

    def shape(self, project_id: int, number: int = 0) -> dict[str, Any]:
        """Return a box around one of the things in the demo's first picture, the widest first."""
        admin = self.people["admin"]
        found = admin.get("/api/projects/1/images/1/annotations").json()["annotations"]
        found.sort(key=lambda one: one["geometry"]["x1"] - one["geometry"]["x2"])
        names = {one["id"]: one["name"] for one in admin.get("/api/projects/1/labels").json()["items"]}
        labels = {one["name"]: one["id"] for one in admin.get(f"/api/projects/{project_id}/labels").json()["items"]}
        label_id = labels[names[found[number]["label_id"]]]
        return {"id": secrets.token_urlsafe(12), "label_id": label_id, "geometry": found[number]["geometry"]}

    def task(self, project_id: int, image_id: int) -> str:
        """Return the address of an image's task."""
        image = self.people["admin"].get(f"/api/projects/{project_id}/images/{image_id}").json()
        return f"/api/projects/{project_id}/tasks/{image['task']['id']}"

    def _id(self, who: str) -> int:
        if who not in self.ids:
            self.ids[who] = self.people[who].get("/api/session").json()["user"]["id"]
        return self.ids[who]

    def _picture(self, project_id: int, n: int) -> int:
        content = self.people["admin"].get(f"/api/projects/1/images/{n}/file").raise_for_status().content
        url, params = f"/api/projects/{project_id}/images", {"name": f"tray-{n:02}.jpg"}
        made = self.people["admin"].post(url, params=params, content=content).raise_for_status().json()
        return int(made["id"])


def _at_work(page: Page, objects: int) -> None:
    expect(page.get_by_role("img", name=re.compile(rf", {objects} objects?$"))).to_be_visible()


def _draw(page: Page) -> None:
    """Draw a box on the picture that is open."""
    area = page.locator(".canvas").bounding_box()
    assert area is not None
    page.keyboard.press("b")
    page.mouse.move(area["x"] + area["width"] * 0.55, area["y"] + area["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.75, area["y"] + area["height"] * 0.5, steps=4)
    page.mouse.up()


def _loading(stage: Stage) -> Page:
    desk = stage.desk(stage.people["admin"])
    desk.page.route(re.compile(r"/projects/1/images\?"), lambda _: None)
    page = desk.go("/projects/1/images")
    expect(page.get_by_role("list", name="Images")).to_be_visible()
    return page


def _offline(stage: Stage) -> Page:
    project_id, [image] = stage.project("Parts")
    page = stage.open("annotator", f"/projects/{project_id}/annotate?image={image}")
    _at_work(page, 0)
    page.context.set_offline(True)
    _draw(page)
    expect(page.get_by_text("Offline · 1 change kept", exact=True)).to_be_visible()
    return page


def _out_of_reach(stage: Stage) -> Page:
    desk = stage.desk(stage.people["admin"])
    desk.page.route("**/api/session", lambda route: route.abort())
    page = desk.go("/projects/1/dataset")
    expect(page.get_by_role("heading", name="The box is out of reach")).to_be_visible()
    return page


def _signed_out(stage: Stage) -> Page:
    project_id, [image] = stage.project("Parts")
    page = stage.open("annotator", f"/projects/{project_id}/annotate?image={image}")
    _at_work(page, 0)
    fault = {"code": "not-signed-in", "title": "Unauthorized", "detail": "sign in"}
    page.route("**/api/**", lambda route: route.fulfill(status=401, body=json.dumps(fault)))
    _draw(page)
    expect(page.get_by_role("heading", name="Sign in again")).to_be_visible()
    return page


def _conflict(stage: Stage) -> Page:
    project_id, [image] = stage.project("Parts")
    shape = stage.shape(project_id)
    stage.annotate(project_id, image, added=[shape])
    page = stage.open("annotator", f"/projects/{project_id}/annotate?image={image}")
    _at_work(page, 1)
    page.context.set_offline(True)
    page.keyboard.press("Tab")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    theirs = {**shape, "geometry": {**shape["geometry"], "y2": shape["geometry"]["y2"] + 40}}
    stage.annotate(project_id, image, 1, "reviewer", changed=[theirs])
    page.context.set_offline(False)
    expect(page.get_by_role("alert").filter(has_text="both versions are here")).to_be_visible()
    return page


def _late(stage: Stage) -> Page:
    project_id, [image] = stage.project("Parts")
    stage.annotate(project_id, image, added=[stage.shape(project_id)])
    stage.post(f"{stage.task(project_id, image)}/submit", {"revision": 1}, "annotator")
    more = {"diff_id": secrets.token_urlsafe(12), "revision": 1, "added": [stage.shape(project_id, 1)]}
    stage.post(f"/api/projects/{project_id}/images/{image}/late", more, "annotator")
    page = stage.open("reviewer", f"/projects/{project_id}/review")
    expect(page.get_by_role("status").filter(has_text="Late work by annotator")).to_be_visible()
    page.get_by_role("button", name="Show", exact=True).click()
    return page


def _one_of_two(stage: Stage) -> Page:
    project_id, [image] = stage.project("Parts", reviews=2)
    stage.annotate(project_id, image, added=[stage.shape(project_id)])
    stage.post(f"{stage.task(project_id, image)}/submit", {"revision": 1}, "annotator")
    stage.post(f"{stage.task(project_id, image)}/review", {"revision": 1, "verdict": "approve"}, "reviewer")
    page = stage.open("admin", f"/projects/{project_id}/review")
    expect(page.get_by_text("1 of 2 approvals")).to_be_visible()
    _at_work(page, 1)
    expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    return page


def _comments(stage: Stage) -> Page:
    project_id, [image] = stage.project("Parts")
    shape = stage.shape(project_id)
    stage.annotate(project_id, image, added=[shape, stage.shape(project_id, 1)])
    url = f"/api/projects/{project_id}/images/{image}/comments"

    def say(who: str, text: str, **facts: Any) -> Any:
        return stage.post(url, {"key": secrets.token_urlsafe(9), "text": text, **facts}, who)

    pin = {"annotation_id": shape["id"], "x": shape["geometry"]["x2"], "y": shape["geometry"]["y1"]}
    first = say("reviewer", "Is this tight enough? The tip looks cut off.", pin=pin)
    say("annotator", "Moved the edge out by two pixels.", reply_to=first["key"])
    say("admin", "Label the washers, too.", pin={"x": 700, "y": 500})
    settled = say("reviewer", "Picture is sharp enough.")
    stage.post(f"/api/projects/{project_id}/threads/{settled['id']}/resolve", None, "reviewer")
    page = stage.open("annotator", f"/projects/{project_id}/annotate?image={image}")
    _at_work(page, 2)
    page.get_by_role("button", name=re.compile("^Comment 1")).click()
    expect(page.get_by_text("Moved the edge out")).to_be_visible()
    return page


def _mapping(stage: Stage) -> Page:
    project_id, _ = stage.project("Parts", 0)
    page = stage.open("admin", f"/projects/{project_id}/models")
    page.get_by_role("button", name=re.compile("Use in this project")).first.click()
    expect(page.get_by_role("region", name="Labels of the model, table")).to_be_visible()
    return page


def _segmenter(stage: Stage) -> Page:
    page = stage.open("admin", "/projects/1/settings")
    page.get_by_label("Clicks are answered by").scroll_into_view_if_needed()
    page.get_by_label("Clicks are answered by").focus()
    return page


def _delete_project(stage: Stage) -> Page:
    page = stage.open("admin", "/projects/1/settings")
    page.get_by_role("button", name="Delete project").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    return page


def _erase(stage: Stage) -> Page:
    page = stage.open("admin", "/projects/1/annotate?image=1")
    expect(page.get_by_role("img", name=re.compile(r", \d+ objects$"))).to_be_visible()
    _about_image(page)
    page.get_by_role("button", name="Erase this image for good").click()
    expect(page.get_by_role("dialog").get_by_label("Why")).to_be_visible()
    return page


def _past(stage: Stage) -> Page:
    project_id, [image] = stage.project("Parts")
    shape = stage.shape(project_id)
    stage.annotate(project_id, image, added=[shape])
    stage.annotate(project_id, image, 1, "reviewer", added=[stage.shape(project_id, 1)], removed=[shape["id"]])
    page = stage.open("admin", f"/projects/{project_id}/annotate?image={image}")
    _at_work(page, 1)
    _about_image(page)
    page.get_by_role("button", name="Look").first.click()
    expect(page.get_by_role("button", name="Back to now").first).to_be_visible()
    return page


def _about_image(page: Page) -> None:
    """Open the history of the image that is on the workbench."""
    part = page.get_by_role("group", name="Panel").get_by_role("button", name="Image")
    if not page.get_by_role("complementary", name="Objects").is_visible():
        page.get_by_role("button", name="Objects and labels").click()
    if part.is_visible():
        part.click()
    page.locator(".past summary").click()


def _invitation(stage: Stage) -> Page:
    project_id, _ = stage.project("Parts", 0)
    made = stage.post("/api/invitations", {"note": "Nina", "project_id": project_id, "project_role": "annotator"})
    page = stage.open(None, made["path"])
    expect(page.get_by_text("You will work in Parts")).to_be_visible()
    return page


def _reset(stage: Stage) -> Page:
    page = stage.open(None, "/reset")
    expect(page.get_by_label("Code")).to_be_visible()
    return page


def _uploads(stage: Stage) -> Page:
    project_id, _ = stage.project("Parts", 1)
    page = stage.open("admin", f"/projects/{project_id}/images")
    good = stage.people["admin"].get("/api/projects/1/images/1/file").content
    files = {
        "tray-07.jpg": encode(scene(320, 240), "jpeg"),
        "a picture with quite a long name of its own, of the second day.jpg": good[:2000],
        "tray-01 again.jpg": good,
        "notes.jpg": b"no picture at all",
    }
    kinds = [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in files.items()]
    page.get_by_label("Files to add").set_input_files(kinds)
    expect(page.get_by_role("region", name="Upload").get_by_text("Upload finished")).to_be_visible()
    return page


def _dataset_preview(stage: Stage) -> Page:
    project_id, _ = stage.project("Parts", 0)
    page = stage.open("admin", f"/projects/{project_id}/images")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "trays"
        (folder / "images").mkdir(parents=True)
        entries = [{"id": n, "file_name": f"{n}.jpg", "width": 120 + 8 * n, "height": 90} for n in range(5)]
        for entry in entries[:4]:
            picture = encode(scene(int(str(entry["width"])), 90), "jpeg")
            (folder / "images" / str(entry["file_name"])).write_bytes(picture)
        names = ["bolt", "hex nut", "rivet"]
        shapes = [{"id": n, "image_id": n, "category_id": n, "bbox": [5, 5, 20, 20], "area": 400} for n in range(3)]
        categories = [{"id": n, "name": name} for n, name in enumerate(names)]
        coco = {"images": entries, "annotations": shapes, "categories": categories}
        (folder / "annotations.json").write_text(json.dumps(coco))
        page.get_by_label("Folder to add").set_input_files(folder)
        expect(page.get_by_role("dialog", name=_DATASET)).to_contain_text("4, all new")
    return page


def _pressed(path: str, *names: str, who: str = "admin") -> Callable[[Stage], Page]:
    """Open a page and press buttons of it, one after the other, until a dialog is there."""

    def pressed(stage: Stage) -> Page:
        page = stage.open(who, path)
        for name in names:
            page.get_by_role("button", name=name).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        return page

    return pressed


def _bulk(button: str) -> Callable[[Stage], Page]:
    def opened(stage: Stage) -> Page:
        page = stage.open("admin", "/projects/1/images")
        cells = page.get_by_role("list", name="Images").get_by_role("checkbox")
        for n in range(3):
            cells.nth(n).click(force=True)
        expect(page.get_by_text("3 selected")).to_be_visible()
        page.get_by_role("button", name=button).last.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        return page

    return opened


def _unsent(stage: Stage) -> Page:
    page = _offline(stage)
    page.get_by_role("button", name="annotator", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    return page


STATES: dict[str, Callable[[Stage], Page]] = {
    "loading": _loading,
    "offline": _offline,
    "out-of-reach": _out_of_reach,
    "signed-out": _signed_out,
    "unsent": _unsent,
    "conflict": _conflict,
    "late": _late,
    "one-of-two": _one_of_two,
    "comments": _comments,
    "mapping": _mapping,
    "segmenter": _segmenter,
    "delete-project": _delete_project,
    "erase": _erase,
    "past": _past,
    "invitation": _invitation,
    "reset": _reset,
    "uploads": _uploads,
    "dataset-preview": _dataset_preview,
    "new-project": _pressed("/", "New project"),
    "snapshot": _pressed("/projects/1/dataset", "Make snapshot"),
    "export": _pressed("/projects/1/dataset", "Export"),
    "plan": _bulk("Plan"),
    "assign": _bulk("Assign"),
    "delete-images": _bulk("Delete"),
}
"""What to bring about, by the name of its picture."""
