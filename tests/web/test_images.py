"""The list of images under filters, their packed ids, and changes to many at once."""

from __future__ import annotations

import gzip
import itertools
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.records import Probe
from appliance.store import Transaction, images
from appliance.store.blobs import Staged
from appliance.web.resources._common import DIRECT_IMAGES
from tests._site import Site, site_at

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("site") / "data") as running:
        yield running


def filled(site: Site, count: int, folder: str = "") -> tuple[str, list[int]]:
    """Make a project of so many rows without picture files; return its address and the ids."""
    project_id = site.project()

    def add(tx: Transaction) -> list[int]:
        ids = []
        for number in range(count):
            sha256 = f"{next(_numbers):064x}"
            tx.execute("INSERT INTO blobs VALUES (?, 1, 1, 'plain', ?)", (bytes.fromhex(sha256), tx.now_ms))
            staged = Staged(Path("absent"), sha256, 1, 1, "plain")
            probe = Probe(format="png", width=64, height=48)
            ids.append(images.create(tx, project_id, f"{folder}{number:05}.png", staged, probe).id)
        return ids

    return f"/api/projects/{project_id}/images", site.box.appliance.store.write(add)


def listed(site: Site, url: str, **query: Any) -> list[int]:
    return [image["id"] for image in site.ok(site.people["annotator"].get(url, params=query))["items"]]


def test_the_packed_ids_are_those_of_the_list(site: Site) -> None:
    url, ids = filled(site, 300)
    twos = [image_id for number, image_id in enumerate(ids) if "002" in f"{number:05}"]
    reader = site.people["annotator"]
    for query, expected in (
        ({}, ids),
        ({"sort": "newest"}, ids[::-1]),
        ({"sort": "name", "text": "002"}, twos),
        ({"after": ids[250]}, ids[251:]),
        ({"text": "no such name"}, []),
    ):
        answer = reader.get(f"{url}/ids", params=query)
        assert answer.headers["content-encoding"] == "gzip"
        assert list(itertools.accumulate(array("i", answer.content))) == expected
    assert site.ok(reader.get(f"{url}/count", params={"text": "002"})) == {"images": len(twos)}
    with reader.stream("GET", f"{url}/ids") as raw:
        assert len(b"".join(raw.iter_raw())) < 100 < len(gzip.compress(array("i", ids).tobytes()))


def test_rows_come_by_id_in_the_order_asked_for(site: Site) -> None:
    url, ids = filled(site, 5)
    _, foreign = filled(site, 1)
    asked = [ids[3], foreign[0], ids[1], 999_999]
    assert listed(site, url, ids=",".join(map(str, asked))) == [ids[3], ids[1]]


def test_pages_by_name_go_on_behind_the_last_name(site: Site) -> None:
    url, ids = filled(site, 7)
    first = site.ok(site.people["annotator"].get(url, params={"sort": "name", "limit": 3}))
    assert first["next"] == "00002.png"
    assert listed(site, url, sort="name", after=first["next"]) == ids[3:]


@pytest.mark.parametrize(("query", "field"), [
    ({"state": "open,gone"}, "states.1"), ({"confidence": "0.2-1.5"}, "confidence.1"), ({"label": "x"}, "label"),
    ({"sort": "size"}, "sort"), ({"after": "beach"}, "after"),
])  # fmt: skip
def test_a_filter_that_makes_no_sense_is_refused(site: Site, query: dict[str, str], field: str) -> None:
    url, _ = filled(site, 1)
    assert site.refused(site.people["annotator"].get(url, params=query), 422, "invalid-input")["field"] == field


def test_folders_and_facets(site: Site) -> None:
    url, ids = filled(site, 3, "line-3/monday/")
    owner = site.people["owner"]
    assert site.ok(owner.get(f"{url}/folders"))["items"] == [{"folder": "/line-3/monday", "images": 3}]
    assert listed(site, url, folder="/line-3/monday") == ids
    project_id = int(url.split("/")[3])
    label = site.labels(project_id)[0]["id"]
    site.draw(project_id, ids[0], label)
    found = site.ok(owner.get(f"{url}/facets"))
    assert {one["label_id"]: one["annotations"] for one in found["labels"]}[label] == 1
    assert {one["user_id"]: one["images"] for one in found["assignees"]}[0] == 2
    assert sum(found["confidence"]) == 0


def test_assigning_and_taking_back(site: Site) -> None:
    url, ids = filled(site, 3)
    owner, annotator = site.people["owner"], site.ids["annotator"]
    body = {"ids": ids, "assignee_id": annotator}
    done = site.ok(owner.post(f"{url}/assign", json=body))
    assert (done["images"], done["changed"], done["job"]["state"]) == (3, 3, "done")
    assert listed(site, url, assignee=annotator) == ids
    again = site.ok(owner.post(f"{url}/assign", json=body))
    assert (again["changed"], again["job"]) == (0, None)
    back = site.ok(owner.post(f"{url}/assign", json={"ids": ids, "assignee_id": None}))
    assert back["changed"] == 3
    assert listed(site, url, assignee=0) == ids
    site.refused(
        owner.post(f"{url}/assign", json={**body, "assignee_id": site.ids["outsider"]}), 422, "invalid-input"
    )
    assert [line["details"]["images"] for line in site.audited("image.assign")[:3]] == [3, 3, 3]


def test_what_is_begun_is_open_again_for_its_new_person_and_what_is_done_stays(site: Site) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    done = site.approved(project_id, label)
    begun = site.image(project_id, "begun.png")
    site.draw(project_id, begun["id"], label)
    body = {"filter": {}, "assignee_id": site.ids["reviewer"]}
    answer = site.ok(site.people["owner"].post(f"/api/projects/{project_id}/images/assign", json=body))
    assert (answer["images"], answer["changed"]) == (2, 1)
    task = site.task(project_id, begun["id"])
    assert (task["state"], task["assignee_id"]) == ("open", site.ids["reviewer"])
    assert site.task(project_id, done["id"])["state"] == "done"


def test_reopening_keeps_what_is_drawn(site: Site) -> None:
    project_id = site.project()
    done = site.approved(project_id, site.labels(project_id)[0]["id"])
    url = f"/api/projects/{project_id}/images"
    answer = site.ok(site.people["owner"].post(f"{url}/reopen", json={"filter": {"states": ["done"]}}))
    assert (answer["images"], answer["changed"], answer["job"]["state"]) == (1, 1, "done")
    task = site.task(project_id, done["id"])
    assert (task["state"], task["round"]) == ("open", 2)
    assert site.ok(site.people["owner"].get(f"{url}/{done['id']}"))["annotations"] == 1
    assert listed(site, url, state="done") == []


def test_many_images_are_a_job_and_one_line_in_the_audit_log(site: Site) -> None:
    url, ids = filled(site, DIRECT_IMAGES + 50)
    outcome = site.ok(site.people["owner"].post(f"{url}/delete", json={"filter": {"text": "00"}}), 202)
    assert outcome["images"] == len(ids)
    done = site.box.appliance.jobs.wait(outcome["job"]["id"], 60)
    assert (done.state, done.result) == ("done", {"images": len(ids), "changed": len(ids)})
    assert listed(site, url) == []
    (line,) = [one for one in site.audited("image.delete") if one["project_id"] == int(url.split("/")[3])]
    assert (line["details"]["images"], line["details"]["filter"]) == (len(ids), {"text": "00"})


def test_a_filter_for_one_state_reaches_every_image_though_the_change_takes_it_out(site: Site) -> None:
    url, ids = filled(site, DIRECT_IMAGES + 10)
    store = site.box.appliance.store
    store.write(lambda tx: tx.execute("UPDATE tasks SET state = 'skipped' WHERE image_id >= ?", (ids[0],)))
    outcome = site.ok(site.people["owner"].post(f"{url}/reopen", json={"filter": {"states": ["skipped"]}}), 202)
    done = site.box.appliance.jobs.wait(outcome["job"]["id"], 60)
    assert done.result == {"images": len(ids), "changed": len(ids)}
    assert listed(site, url, state="open", limit=500) == ids


def test_only_admins_change_many(site: Site) -> None:
    url, ids = filled(site, 1)
    for what, more in (("delete", {}), ("reopen", {}), ("assign", {"assignee_id": None})):
        site.refused(site.people["reviewer"].post(f"{url}/{what}", json={"ids": ids, **more}), 403, "forbidden")
        site.refused(site.people["owner"].post(f"{url}/{what}", json=more), 422, "invalid-input")
        both = {"ids": ids, "filter": {}, **more}
        site.refused(site.people["owner"].post(f"{url}/{what}", json=both), 422, "invalid-input")
    assert listed(site, url) == ids
