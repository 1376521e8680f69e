"""Datasets that are uploaded: looked into first, then imported as their sender decides."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests._site import Site, picture, site_at
from tests.web._tus import begin, whole

DATA_YAML = b"train: images/train\nval: images/val\nnames: [bolt, clip]\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("datasets") / "data") as running:
        yield running


@pytest.fixture
def project_id(site: Site) -> int:
    return site.project(labels=("bolt", "washer"))


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def coco(*names: str) -> bytes:
    """Return a COCO file: one box of ``bolt`` and one polygon of ``clip`` on each image."""
    images = [{"id": n, "file_name": name, "width": 64, "height": 48} for n, name in enumerate(names, 1)]
    shapes: list[dict[str, Any]] = []
    for n in range(1, len(names) + 1):
        ring = [1, 1, 20, 1, 20, 20]
        shapes.append({"id": 2 * n, "image_id": n, "category_id": 1, "bbox": [2, 2, 9, 9], "area": 81, "iscrowd": 0})
        shapes.append(
            {"id": 2 * n + 1, "image_id": n, "category_id": 2, "bbox": [1, 1, 19, 19], "area": 180, "iscrowd": 0,
             "segmentation": [ring]}
        )  # fmt: skip
    categories = [{"id": 1, "name": "bolt"}, {"id": 2, "name": "clip"}]
    return json.dumps({"images": images, "annotations": shapes, "categories": categories}).encode()


def look(site: Site, upload: dict[str, Any], who: str = "owner") -> dict[str, Any]:
    preview: dict[str, Any] = site.ok(site.people[who].get(_url(upload) + "/preview"))
    return preview


def take(site: Site, upload: dict[str, Any], what: str = "everything", who: str = "owner") -> httpx.Response:
    return site.people[who].post(_url(upload) + "/import", json={"take": what})


def _url(upload: dict[str, Any]) -> str:
    return f"/api/projects/{upload['project_id']}/uploads/{upload['id']}"


def _images(site: Site, project_id: int) -> dict[str, dict[str, Any]]:
    items = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/images"))["items"]
    return {image["name"]: image for image in items}


def test_an_archive_is_looked_into_and_nothing_is_written(site: Site, project_id: int) -> None:
    owner, there = site.people["owner"], picture()
    site.image(project_id, "there.png", there)
    files = {
        "parts/data.yaml": DATA_YAML,
        "parts/images/train/a.png": there,
        "parts/images/train/b.png": picture(),
        "parts/images/val/c.png": picture(),
        "parts/labels/train/a.txt": b"0 0.5 0.5 0.2 0.2\n1 0.4 0.4 0.1 0.1\n",
        "parts/labels/val/c.txt": b"0 0.5 0.5 0.2 0.2\n7 0.5 0.5 0.2 0.2\n",
    }
    upload = whole(owner, project_id, "parts.zip", packed(files))
    assert (upload["kind"], upload["state"]) == ("dataset", "ready")
    before = site.box.appliance.store.read(lambda r: r.execute("SELECT max(id) FROM audit").fetchall())
    preview = look(site, upload)
    assert (preview["format"], preview["title"], preview["files"]) == ("yolo", "YOLO", ["data.yaml"])
    assert (preview["pictures"], preview["present"], preview["promised"]) == (3, 1, 0)
    assert (preview["images"], preview["annotated"], preview["missing"]) == (3, 2, 0)
    bolt = site.labels(project_id)[0]["id"]
    assert preview["labels"] == [
        {"name": "bolt", "label_id": bolt, "annotations": 2},
        {"name": "clip", "label_id": None, "annotations": 1},
    ]
    assert preview["annotations"] == {"box": 3}
    assert preview["splits"] == {"train": 2, "val": 1}
    assert [note["code"] for note in preview["notes"]] == ["unknown-class"]
    assert list(_images(site, project_id)) == ["there.png"]
    assert len(site.labels(project_id)) == 2
    assert site.box.appliance.store.read(lambda r: r.execute("SELECT max(id) FROM audit").fetchall()) == before
    assert list(site.box.appliance.store.temporary.iterdir()) == []
    job = site.finished(take(site, upload))
    assert (job.state, job.error) == ("done", None)
    assert job.result is not None
    assert (job.result["images"], job.result["duplicates"], job.result["annotations"]) == (2, 1, 3)
    assert site.ok(owner.get(_url(upload)))["job_id"] == job.id
    again = site.finished(take(site, upload))
    assert again.result is not None
    assert (again.result["images"], again.result["annotations"]) == (0, 0)


def test_only_the_pictures_may_be_taken(site: Site, project_id: int) -> None:
    files = {"images/a.png": picture(), "annotations.json": coco("a.png")}
    upload = whole(site.people["annotator"], project_id, "set.zip", packed(files))
    assert look(site, upload, "annotator")["format"] == "coco"
    site.refused(take(site, upload, who="annotator"), 403, "forbidden")
    job = site.finished(take(site, upload, "pictures", "annotator"))
    assert (job.state, job.created_by) == ("done", site.ids["annotator"])
    assert list(_images(site, project_id)) == ["a.png"]
    assert len(site.labels(project_id)) == 2
    site.refused(take(site, upload, who="owner"), 404, "not-found")


def test_annotations_alone_find_their_images_by_name(site: Site, project_id: int) -> None:
    for name in ("a.png", "trays/b.png", "left/c.png", "right/c.png"):
        site.image(project_id, name)
    upload = whole(site.people["owner"], project_id, "instances.json", coco("a.png", "b.png", "c.png", "d.png"))
    preview = look(site, upload)
    assert (preview["format"], preview["pictures"], preview["images"]) == ("coco", 0, 4)
    assert (preview["matched"], preview["missing"]) == (2, 2)
    assert preview["annotations"] == {"box": 4, "polygon": 4}
    job = site.finished(take(site, upload))
    assert job.result is not None, job.error
    assert (job.result["images"], job.result["duplicates"], job.result["annotations"]) == (0, 2, 4)
    found = {name: image["annotations"] for name, image in _images(site, project_id).items()}
    assert found == {"a.png": 2, "trays/b.png": 2, "left/c.png": 0, "right/c.png": 0}


def test_pictures_may_be_sent_apart_from_their_dataset(site: Site, project_id: int) -> None:
    owner, shared = site.people["owner"], picture()
    site.image(project_id, "other name.png", shared)
    names = ["set/images/a.png", "set/images/b.png", "set/images/lost.png"]
    pack = packed({"set/annotations.json": coco("a.png", "b.png", "lost.png"), **dict.fromkeys(names, b"")})
    upload = whole(owner, project_id, "set.zip", pack)
    preview = look(site, upload)
    assert (preview["pictures"], preview["promised"], preview["images"]) == (3, 3, 3)
    assert (preview["matched"], preview["missing"]) == (0, 0)
    sent = whole(owner, project_id, names[0], picture(), batch=str(upload["id"]))
    known = whole(owner, project_id, names[1], shared, batch=str(upload["id"]))
    assert (sent["duplicate"], known["duplicate"]) == (False, True)
    job = site.finished(take(site, upload))
    assert job.result is not None, job.error
    assert (job.result["images"], job.result["duplicates"], job.result["annotations"]) == (0, 2, 4)
    notes = site.ok(owner.get(f"/api/jobs/{job.id}"))["notes"]
    assert [(note["code"], note["file"]) for note in notes] == [("missing-picture", "lost.png")]
    found = {name: image["annotations"] for name, image in _images(site, project_id).items()}
    assert found == {names[0]: 2, "other name.png": 2}
    whole(owner, project_id, names[2], picture(), batch=str(upload["id"]))
    later = site.finished(take(site, upload))
    assert later.result is not None
    assert later.result["annotations"] == 2


def test_yolo_pictures_may_be_sent_apart(site: Site, project_id: int) -> None:
    owner, name = site.people["owner"], "yolo/images/train/a.png"
    files = {"yolo/data.yaml": DATA_YAML, "yolo/labels/train/a.txt": b"0 0.5 0.5 0.5 0.5\n", name: b""}
    upload = whole(owner, project_id, "yolo.zip", packed(files))
    preview = look(site, upload)
    assert (preview["format"], preview["annotations"]) == ("yolo", {"box": 1})
    whole(owner, project_id, name, picture(80, 40), batch=str(upload["id"]))
    site.finished(take(site, upload))
    image = _images(site, project_id)[name]
    shapes = site.ok(owner.get(f"/api/projects/{project_id}/images/{image['id']}/annotations"))["annotations"]
    assert [shape["geometry"] for shape in shapes] == [{"type": "box", "x1": 20, "y1": 10, "x2": 60, "y2": 30}]


def test_pictures_alone_are_no_dataset(site: Site, project_id: int) -> None:
    upload = whole(site.people["owner"], project_id, "some.zip", packed({"a.png": picture(), "notes.txt": b"hi"}))
    preview = look(site, upload)
    assert (preview["format"], preview["pictures"], preview["labels"]) == (None, 1, [])


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.zip", b"PK but not really", "unsafe-archive"),
        ("empty.json", b"", "unreadable-dataset"),
    ],
)
def test_what_is_no_dataset_at_all_has_failed(
    site: Site, project_id: int, name: str, content: bytes, code: str
) -> None:
    client = site.people["owner"]
    url = begin(client, project_id, name, len(content), body=content).headers["Location"]
    upload = site.ok(client.get(url))
    assert (upload["state"], (upload["problem"] or {}).get("code")) == ("failed", code)
    site.refused(client.get(url + "/preview"), 409, "conflict")
    site.refused(take(site, upload), 409, "conflict")


def test_a_hostile_archive_is_refused_when_looked_into(site: Site, project_id: int) -> None:
    client = site.people["owner"]
    upload = whole(client, project_id, "a.zip", packed({"../../evil.png": picture()}))
    site.refused(client.get(_url(upload) + "/preview"), 422, "unsafe-archive")
    broken = whole(client, project_id, "b.json", b'{"images": [], "annotations": [}, "categories": []}')
    site.refused(client.get(_url(broken) + "/preview"), 422, "unreadable-dataset")
    assert list(site.box.appliance.store.temporary.iterdir()) == []


def test_a_preview_is_its_senders_alone(site: Site, project_id: int) -> None:
    upload = whole(site.people["annotator"], project_id, "a.zip", packed({"a.png": picture()}))
    for who in ("owner", "outsider"):
        site.refused(site.people[who].get(_url(upload) + "/preview"), 404, "not-found")
