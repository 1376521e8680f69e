"""The box to its administrators: health, space, stored files, chores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._site import Site, picture, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("system") / "data", reserve_bytes=1 << 20) as running:
        yield running


def chore(site: Site, kind: str) -> dict:
    job = site.finished(site.people["admin"].post("/api/system/chores", json={"kind": kind}))
    assert job.state == "done", job.error
    return job.result or {}


def test_health_tells_of_disk_clock_lanes_and_numbers(site: Site) -> None:
    project_id = site.project()
    site.image(project_id)
    found = site.ok(site.people["admin"].get("/api/system"))
    assert found["disk"]["total_bytes"] > found["disk"]["free_bytes"] > 0
    assert found["disk"]["reserve_bytes"] == found["disk"]["reserve_wanted_bytes"] == 1 << 20
    assert found["memory"]["total_bytes"] > found["memory"]["resident_bytes"] > 0
    assert abs(found["clock"]["wall_ms"] - found["clock"]["store_ms"]) < 5_000
    assert {lane["name"]: lane["width"] for lane in found["lanes"]} == {"cpu": 1, "io": 2, "model": 1}
    assert found["counts"]["images"] == 1
    assert found["counts"]["users"] == 6
    assert found["counts"]["damaged"] == 0
    assert found["uptime_s"] > 0
    assert found["processors"] >= 1


def test_runtimes_are_asked_in_a_child(site: Site) -> None:
    found = site.ok(site.people["admin"].get("/api/system/runtimes"))
    assert found["fault"] is None
    (runtime,) = (one for one in found["backends"] if one["name"] == "onnxruntime")
    assert runtime["ok"]
    assert "cpu" in runtime["devices"]


def test_a_damaged_file_is_told_and_a_good_one_sent_again_heals(site: Site) -> None:
    project_id, content = site.project(), picture()
    image = site.image(project_id, "field.png", content)
    path: Path = site.box.appliance.store.blobs.folder / image["sha256"][:2] / image["sha256"]
    path.chmod(0o600)
    path.write_bytes(b"rot" + content[3:])
    assert chore(site, "scrub")["damaged"] == 1
    told = site.ok(site.people["admin"].get("/api/system/scrub"))
    assert told["faults"] == 1
    assert told["job"] is None
    assert told["finished"]["faults"] == 1
    (damage,) = told["damage"]
    assert damage["owners"][0]["name"] == "field.png"
    assert damage["owners"][0]["project_id"] == project_id
    again = site.people["annotator"].post(
        f"/api/projects/{project_id}/images", params={"name": "field.png"}, content=content
    )
    assert again.status_code == 200
    assert site.ok(site.people["admin"].get("/api/system/scrub"))["faults"] == 0
    assert chore(site, "scrub")["damaged"] == 0


def test_a_stored_file_is_found_by_the_beginning_of_its_hash(site: Site) -> None:
    project_id = site.project()
    image, admin = site.image(project_id, "found.png"), site.people["admin"]
    (found,) = site.ok(admin.get("/api/system/blobs", params={"sha256": image["sha256"][:12]}))["items"]
    assert found["sha256"] == image["sha256"]
    assert found["size_bytes"] == image["size_bytes"]
    assert [(owner["what"], owner["name"]) for owner in found["owners"]] == [("image", "found.png")]
    (whole,) = site.ok(admin.get("/api/system/blobs", params={"sha256": image["sha256"]}))["items"]
    assert whole == found
    assert site.ok(admin.get("/api/system/blobs", params={"sha256": "0" * 63 + "1"}))["items"] == []
    for wrong in ("abc", "xyz0", "ABCD"):
        site.refused(admin.get("/api/system/blobs", params={"sha256": wrong}), 422, "invalid-input")


def test_space_is_told_from_the_last_measuring(site: Site) -> None:
    project_id = site.project()
    site.image(project_id)
    assert chore(site, "measure")["files"] >= 1
    told = site.ok(site.people["admin"].get("/api/system/storage"))
    assert told["measured"]["at_ms"] > 0
    assert "pictures" in {one["key"] for one in told["measured"]["kinds"]}
    assert str(project_id) in {one["key"] for one in told["measured"]["projects"]}
    assert {one["key"]: one["files"] for one in told["measured"]["cache"]}["thumbnail"] >= 1
    assert chore(site, "clear-cache")["files"] >= 1
    chore(site, "measure")
    (left,) = site.ok(site.people["admin"].get("/api/system/storage"))["measured"]["cache"]
    assert (left["key"], left["files"]) == ("thumbnail", 0)


def test_a_chore_under_way_is_the_answer(site: Site) -> None:
    lane, admin = site.box.appliance.jobs.lanes["io"], site.people["admin"]
    with lane.borrowed(300), lane.borrowed(300):
        first = site.ok(admin.post("/api/system/chores", json={"kind": "collect"}), 202)
        second = site.ok(admin.post("/api/system/chores", json={"kind": "collect"}), 202)
    assert first["id"] == second["id"]
    assert site.box.appliance.jobs.wait(first["id"], 30).state == "done"
    assert [line["subject"] for line in site.audited("job.submit")].count(f"job {first['id']}") == 1
    site.refused(admin.post("/api/system/chores", json={"kind": "export"}), 422, "invalid-input")
