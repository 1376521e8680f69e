"""Insights over the wire: who sees what, and the tables as files."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest

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
