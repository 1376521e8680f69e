"""Work that came too late: kept beside its image until a reviewer decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests._site import Site, box, diff, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("late") / "data") as running:
        yield running


class Place:
    """An image with one box of the annotator's, handed in."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.project_id = site.project()
        self.label = site.labels(self.project_id)[0]["id"]
        self.image = site.image(self.project_id)
        self.drawn = box(self.label)
        site.ok(site.save(self.project_id, self.image["id"], diff(0, added=[self.drawn])))
        self.task = site.task(self.project_id, self.image["id"])
        site.ok(site.tell(self.project_id, self.task["id"], "submit", {"revision": 1}))

    @property
    def url(self) -> str:
        return f"/api/projects/{self.project_id}"

    def put(self, body: dict[str, Any], who: str = "annotator") -> dict[str, Any]:
        url = f"{self.url}/images/{self.image['id']}/late"
        kept: dict[str, Any] = self.site.ok(self.site.people[who].post(url, json=body))
        return kept

    def present(self) -> dict[str, Any]:
        url = f"{self.url}/images/{self.image['id']}/annotations"
        found: dict[str, Any] = self.site.ok(self.site.people["annotator"].get(url))
        return found

    def waiting(self, **query: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.site.ok(
            self.site.people["reviewer"].get(f"{self.url}/late", params=query)
        )["items"]
        return items

    def decide(self, late_id: int, how: str, who: str = "reviewer") -> Any:
        return self.site.people[who].post(f"{self.url}/late/{late_id}/{how}")


def test_late_work_waits_beside_its_image_and_is_applied_in_its_authors_name(site: Site) -> None:
    place = Place(site)
    fresh = box(place.label, at=20)
    late = diff(1, added=[fresh], changed=[{**place.drawn, "geometry": box(1, at=8)["geometry"]}])
    site.refused(site.save(place.project_id, place.image["id"], late), 409, "conflict")
    kept = place.put(late)
    assert place.put(late) == kept
    assert (kept["state"], kept["author_id"], kept["diff"]["revision"]) == ("open", site.ids["annotator"], 1)
    assert (place.present()["late"], place.present()["revision"]) == (1, 1)
    assert [one["id"] for one in place.waiting()] == [kept["id"]]
    assert place.waiting(image_id=place.image["id"] + 1) == []
    assert site.ok(place.decide(kept["id"], "apply"))["state"] == "applied"
    found = {a["id"]: a for a in place.present()["annotations"]}
    assert found[place.drawn["id"]]["geometry"]["x1"] == 8
    assert found[fresh["id"]]["author_id"] == site.ids["annotator"]
    assert (place.present()["late"], place.waiting(image_id=place.image["id"])) == (0, [])
    site.refused(place.decide(kept["id"], "dismiss"), 409, "conflict")
    assert site.audited("late.apply")[0]["subject"] == f"image {place.image['id']}"


def test_nothing_that_changed_since_is_overwritten(site: Site) -> None:
    place = Place(site)
    theirs = {**place.drawn, "geometry": box(1, at=12)["geometry"]}
    site.ok(site.save(place.project_id, place.image["id"], diff(1, changed=[theirs]), "reviewer"))
    ours = {**place.drawn, "geometry": box(1, at=30)["geometry"]}
    moved, gone = place.put(diff(1, changed=[ours])), place.put(diff(1, removed=[place.drawn["id"]]))
    for kept in (moved, gone):
        site.ok(place.decide(kept["id"], "apply"))
    found = place.present()["annotations"]
    assert sorted(a["geometry"]["x1"] for a in found) == [12, 30]
    assert {a["id"] for a in found if a["geometry"]["x1"] == 12} == {place.drawn["id"]}


def test_dismissed_work_changes_nothing_and_stays_dismissed(site: Site) -> None:
    place = Place(site)
    late = diff(1, removed=[place.drawn["id"]])
    kept = place.put(late)
    assert site.ok(place.decide(kept["id"], "dismiss"))["decided_by"] == site.ids["reviewer"]
    assert place.put(late)["state"] == "dismissed"
    assert (len(place.present()["annotations"]), place.present()["late"]) == (1, 0)
    assert site.audited("late.dismiss")


def test_annotators_hand_in_but_do_not_decide(site: Site) -> None:
    place = Place(site)
    kept = place.put(diff(1, removed=[place.drawn["id"]]))
    site.refused(place.decide(kept["id"], "apply", "annotator"), 403, "forbidden")
    site.refused(site.people["annotator"].get(f"{place.url}/late"), 403, "forbidden")
    url = f"{place.url}/images/{place.image['id']}/late"
    site.refused(site.people["outsider"].post(url, json=diff(0)), 404, "not-found")
    other = site.project()
    site.refused(site.people["reviewer"].post(f"/api/projects/{other}/late/{kept['id']}/apply"), 404, "not-found")


def test_an_image_somebody_else_finished_is_not_reopened_by_old_work(site: Site) -> None:
    project_id = site.project(review_policy="none")
    label = site.labels(project_id)[0]["id"]
    image = site.image(project_id)
    task, revision = site.task(project_id, image["id"]), site.draw(project_id, image["id"], label, who="reviewer")
    site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}, "reviewer"))
    site.refused(site.save(project_id, image["id"], diff(0, added=[box(label, 20)])), 409, "conflict")
    assert site.task(project_id, image["id"])["state"] == "done"
    seen = site.task(project_id, image["id"])["revision"]
    theirs = diff(seen, added=[box(label, 30)])
    site.refused(site.save(project_id, image["id"], theirs), 409, "conflict")
    site.ok(site.save(project_id, image["id"], theirs, "reviewer"))
    assert site.task(project_id, image["id"])["state"] == "in_progress"
