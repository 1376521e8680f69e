"""Approved work with faults does not become ground truth, and the answer says where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from appliance.geometry.box import Box
from appliance.records import Annotation
from appliance.store import annotations, images
from appliance.store.history import Changes
from tests._site import Site, box, diff, site_at

BOWTIE = {"type": "polygon", "parts": [[[10, 10, 30, 30, 30, 10, 10, 30]]]}
GRADE = {"name": "grade", "kind": "choice", "choices": ["a", "b"], "required": True}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("validation") / "data") as running:
        yield running


class Dataset:
    """A project without review, in which what is handed in is approved."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.id = site.project("none")
        self.url = f"/api/projects/{self.id}"
        self.labels = site.labels(self.id)

    def done(self, name: str, *added: dict[str, Any]) -> dict[str, Any]:
        """Upload a picture, draw on it and hand it in."""
        image = self.site.image(self.id, name)
        revision = self.site.ok(self.site.save(self.id, image["id"], diff(0, added=list(added))))["revision"]
        task = self.site.task(self.id, image["id"])
        self.site.ok(self.site.tell(self.id, task["id"], "submit", {"revision": revision}))
        return image

    def put(self, image: dict[str, Any], annotation: Annotation) -> None:
        """Bring in what no client could have saved."""

        def write(tx: Any) -> None:
            present = images.get(tx, self.id, image["id"])
            annotations.apply(
                tx, present, Changes(put=[(None, annotation)]), diff_id=f"x:{annotation.id}", kind="review"
            )

        self.site.box.appliance.store.write(write)

    def snapshot(self, name: str = "week", contents: str = "approved") -> Any:
        body = {"name": name, "contents": contents}
        return self.site.finished(self.site.people["owner"].post(f"{self.url}/snapshots", json=body))

    def problems(self, who: str = "annotator", **query: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.site.ok(
            self.site.people[who].get(f"{self.url}/validation/problems", params=query)
        )
        return found


@pytest.fixture
def dataset(site: Site) -> Dataset:
    return Dataset(site)


def test_faults_refuse_a_snapshot_and_are_listed_with_their_images(dataset: Dataset) -> None:
    site, (bolt, washer) = dataset.site, dataset.labels
    fine = dataset.done("fine.png", box(bolt["id"]))
    crossed = dataset.done("crossed.png", box(bolt["id"]), box(washer["id"]) | {"geometry": BOWTIE, "id": "bowtie-1"})
    url = f"{dataset.url}/labels/{washer['id']}"
    outside = Annotation(id="outside-1", label_id=bolt["id"], geometry=Box(50, 40, 70, 60), status="approved")
    dataset.put(fine, outside)
    site.ok(site.people["owner"].patch(url, json={"attributes": [GRADE]}))
    lacking = dataset.done("lacking.png", box(washer["id"]) | {"id": "nograde-1"})

    job = dataset.snapshot()
    assert (job.state, job.error["code"]) == ("failed", "invalid-dataset")
    counts = {"outside": 1, "self-crossing": 1, "missing-attribute": 1}
    assert job.error["details"] == {"problems": 3, "counts": counts}
    found = dataset.problems()
    assert [(p["image_id"], p["image"], p["annotation_id"], p["code"]) for p in found["items"]] == [
        (fine["id"], "fine.png", "outside-1", "outside"),
        (crossed["id"], "crossed.png", "bowtie-1", "self-crossing"),
        (lacking["id"], "lacking.png", "nograde-1", "missing-attribute"),
    ]
    first = dataset.problems(limit=2)
    assert [p["number"] for p in dataset.problems(limit=2, after=first["next"])["items"]] == [3]
    told = site.ok(site.people["operator"].get(f"{dataset.url}/validation"))
    assert (told["problems"], told["counts"], told["name"], told["images"]) == (3, counts, "week", 3)
    assert site.ok(site.people["owner"].get(f"{dataset.url}/snapshots"))["items"] == []


def test_what_is_corrected_passes_and_the_list_goes(dataset: Dataset) -> None:
    site, (bolt, _) = dataset.site, dataset.labels
    image = dataset.done("a.png", box(bolt["id"]) | {"geometry": BOWTIE, "id": "bowtie-1"})
    assert dataset.snapshot().state == "failed"
    revision = site.ok(site.people["owner"].get(f"{dataset.url}/images/{image['id']}"))["revision"]
    body = diff(revision, changed=[box(bolt["id"]) | {"id": "bowtie-1"}])
    revision = site.ok(site.save(dataset.id, image["id"], body))["revision"]
    site.ok(site.tell(dataset.id, site.task(dataset.id, image["id"])["id"], "submit", {"revision": revision}))
    assert dataset.snapshot().state == "done"
    assert site.people["owner"].get(f"{dataset.url}/validation").status_code == 204
    assert dataset.problems()["items"] == []


def test_work_that_a_stricter_policy_asks_more_of_is_named(dataset: Dataset) -> None:
    image = dataset.done("a.png", box(dataset.labels[0]["id"]))
    owner, url = dataset.site.people["owner"], dataset.url
    policy = dataset.site.ok(owner.get(url))["review_policy"] | {"images": "all"}
    dataset.site.ok(owner.patch(url, json={"review_policy": policy}))
    assert dataset.snapshot().error["details"]["counts"] == {"unfinished-review": 1}
    (problem,) = dataset.problems()["items"]
    assert (problem["image_id"], problem["annotation_id"]) == (image["id"], None)


def test_everything_as_it_is_asks_for_nothing(dataset: Dataset) -> None:
    dataset.done("a.png", box(dataset.labels[0]["id"]) | {"geometry": BOWTIE})
    assert dataset.snapshot(contents="everything").state == "done"


def test_an_export_that_makes_its_snapshot_is_refused_too(dataset: Dataset) -> None:
    dataset.done("a.png", box(dataset.labels[0]["id"]) | {"geometry": BOWTIE})
    answer = dataset.site.people["owner"].post(f"{dataset.url}/exports", json={"format": "coco"})
    job = dataset.site.finished(answer)
    assert (job.state, job.error and job.error["code"]) == ("failed", "invalid-dataset")


def test_problems_are_for_members_and_go_with_their_image(dataset: Dataset) -> None:
    site = dataset.site
    image = dataset.done("a.png", box(dataset.labels[0]["id"]) | {"geometry": BOWTIE})
    dataset.done("b.png", box(dataset.labels[0]["id"]) | {"geometry": BOWTIE})
    dataset.snapshot()
    for who, status in (("operator", 403), ("outsider", 404)):
        assert site.people[who].get(f"{dataset.url}/validation/problems").status_code == status
    assert len(dataset.problems()["items"]) == 2
    site.ok(site.people["owner"].delete(f"{dataset.url}/images/{image['id']}"), 204)
    assert [p["image"] for p in dataset.problems()["items"]] == ["b.png"]


def test_what_can_never_be_valid_is_refused_at_once_with_its_fault(dataset: Dataset) -> None:
    image = dataset.site.image(dataset.id, "a.png")
    flat = {"type": "polygon", "parts": [[[1, 1, 2, 2, 3, 3]]]}
    for geometry, fault in (
        (flat, "no-area"),
        ({"type": "box", "x1": 1, "y1": 1, "x2": 200, "y2": 5}, "outside"),
        ({"type": "polygon", "parts": [[[1, 1, 2, 2]]]}, "too-few-points"),
    ):
        draft = box(dataset.labels[0]["id"]) | {"geometry": geometry}
        answer = dataset.site.save(dataset.id, image["id"], diff(0, added=[draft]))
        problem = dataset.site.refused(answer, 422, "invalid-geometry")
        assert (problem["details"]["fault"], problem["field"]) == (fault, "added.0.geometry")
