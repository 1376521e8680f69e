"""Insights over the wire: who sees what, and the tables as files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta

import pytest

from appliance.store.days import EPOCH
from tests._site import Site, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("insights") / "data") as running:
        yield running


def test_admins_see_people_and_others_only_sums(site: Site) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    site.approved(project_id, label)
    url = f"/api/projects/{project_id}/insights"
    full = site.ok(site.people["owner"].get(url, params={"days": 7}))
    assert len(full["days"]) == 7
    assert full["days"][-1]["approved"] == 1
    assert {person["name"]: person["submitted"] for person in full["people"]} == {"annotator": 1, "reviewer": 0}
    assert full["labels"][0]["manual"] == 1
    assert full["median_s"] >= 1
    for who in ("annotator", "reviewer"):
        seen = site.ok(site.people[who].get(url))
        assert [person["name"] for person in seen["people"]] == [who]
        assert seen["days"][-1]["submitted"] == 1
    site.refused(site.people["owner"].get(url, params={"days": 400}), 422, "invalid-input")


def test_tables_come_as_csv_and_people_only_to_admins(site: Site) -> None:
    project_id = site.project(labels=("=cmd", "bolt"))
    site.approved(project_id, site.labels(project_id)[0]["id"])
    url = f"/api/projects/{project_id}/insights/file"
    answer = site.people["owner"].get(url, params={"table": "labels"})
    assert answer.headers["content-disposition"] == 'attachment; filename="insights-labels.csv"'
    head, first, _ = csv.reader(answer.text.splitlines())
    assert head[:2] == ["name", "manual"]
    assert first[:2] == ["'=cmd", "1"]
    days = list(csv.reader(site.people["annotator"].get(url, params={"days": 3}).text.splitlines()))
    assert len(days) == 4
    people = list(csv.reader(site.people["owner"].get(url, params={"table": "people"}).text.splitlines()))
    assert {row[0] for row in people[1:]} == {"annotator", "reviewer"}
    own = list(csv.reader(site.people["annotator"].get(url, params={"table": "people"}).text.splitlines()))
    assert [row[0] for row in own[1:]] == ["annotator"]
    assert (
        site.people["owner"].get(url, params={"table": "thresholds"}).text.startswith("label,confidence_from,right")
    )
    assert site.people["owner"].get(url, params={"table": "predictions"}).text.startswith("label,confidence_from")


def test_time_reviewing_is_a_figure_of_its_own_and_each_persons_is_for_admins(site: Site) -> None:
    project_id = site.project()
    image = site.image(project_id)
    task = site.task(project_id, image["id"])
    revision = site.draw(project_id, image["id"], site.labels(project_id)[0]["id"])
    site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision, "active_ms": 0}))
    site.box.appliance.store.write(lambda tx: tx.execute("DELETE FROM clocks"))
    verdict = {"revision": revision, "verdict": "approve", "active_ms": 90_000}
    site.ok(site.tell(project_id, task["id"], "review", verdict, "reviewer"), 201)
    url = f"/api/projects/{project_id}/insights"
    full = site.ok(site.people["owner"].get(url))
    assert {p["name"]: p["reviewing_s"] for p in full["people"]} == {"annotator": 0, "reviewer": 90}
    seen = site.ok(site.people["annotator"].get(url))
    assert [p["name"] for p in seen["people"]] == ["annotator"]
    assert seen["days"][-1]["reviewing_s"] == 90
    for table in ("days", "people"):
        lines = site.people["owner"].get(f"{url}/file", params={"table": table}).text.splitlines()
        rows = list(csv.DictReader(lines))
        assert "90" in {row["reviewing_s"] for row in rows}
    bad = verdict | {"active_ms": -1}
    site.refused(site.tell(project_id, task["id"], "review", bad, "reviewer"), 422, "invalid-input")


def test_days_are_those_of_the_zone_that_is_asked_for(site: Site) -> None:
    project_id = site.project()
    url, client = f"/api/projects/{project_id}/insights", site.people["owner"]
    west, east = (site.ok(client.get(url, params={"zone": zone})) for zone in ("Etc/GMT+12", "Etc/GMT-14"))
    assert east["last_day"] - west["last_day"] in (1, 2), "26 hours lie between them"
    assert len(east["days"]) == len(west["days"]) == 30
    problem = site.refused(client.get(url, params={"zone": "Europe/Atlantis"}), 422, "invalid-input")
    assert problem["field"] == "zone"
    rows = client.get(f"{url}/file", params={"zone": "Etc/GMT-14", "days": 1}).text.splitlines()
    assert rows[1].startswith(str(EPOCH + timedelta(east["last_day"])))
