"""The audit log: filters over an index, pages that go on, files to take away."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance.store import audit
from appliance.web.tables import csv_lines
from tests._shared import ROOT
from tests._site import Site, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("audit") / "data") as running:
        yield running


@pytest.fixture
def admin(site: Site) -> httpx.Client:
    return site.people["admin"]


def found(site: Site, **query: object) -> list[dict]:
    return site.ok(site.people["admin"].get("/api/audit", params={"limit": 500, **query}))["items"]


def test_filters_by_who_what_where_and_text(site: Site) -> None:
    project_id = site.project()
    image = site.image(project_id, "Rusty Bolt.png")
    by_whom = found(site, user_id=site.ids["annotator"], action="image.add")
    assert [entry["subject"] for entry in by_whom] == [f"image {image['id']}"]
    assert {entry["project_id"] for entry in found(site, project_id=project_id)} == {project_id}
    assert [entry["action"] for entry in found(site, text="rusty BOLT")] == ["image.add"]
    assert found(site, text="rusty", action="project.create") == []
    assert set(site.ok(site.people["admin"].get("/api/audit/actions"))["items"]) >= {"image.add", "setup.claim"}


def test_filters_by_time(site: Site) -> None:
    everything = found(site)
    middle = everything[len(everything) // 2]
    newer, older = found(site, since_ms=middle["at_ms"]), found(site, until_ms=middle["at_ms"])
    assert {entry["id"] for entry in newer} == {e["id"] for e in everything if e["at_ms"] >= middle["at_ms"]}
    assert {entry["id"] for entry in older} == {e["id"] for e in everything if e["at_ms"] < middle["at_ms"]}
    assert found(site, until_ms=1) == []
    assert found(site, since_ms=2**53) == []


def test_a_search_that_finds_little_is_cut_and_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    store = site.box.appliance.store
    store.write(lambda tx: [tx.audit("test.needle" if n == 0 else "test.hay", f"n {n}") for n in range(1_200)])
    monkeypatch.setattr(audit, "_LOOKED_AT", 500)
    wanted, after, pages = audit.Filter(text="needle"), None, 0
    while True:
        page = store.read(lambda r, a=after: audit.listed(r, wanted, after=a, limit=10))
        pages += 1
        if page.items or page.next is None:
            break
        after = page.next
    assert [entry.subject for entry in page.items] == ["n 0"]
    assert pages > 1


def test_it_comes_as_csv_and_json_lines(site: Site, admin: httpx.Client) -> None:
    store = site.box.appliance.store
    store.write(lambda tx: tx.audit("test.formula", "=1+2", name="@home"))
    store.write(lambda tx: [tx.audit("test.many", f"n {n}") for n in range(1_100)])
    answer = admin.get("/api/audit/file", params={"action": "test.formula"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    (head, row) = csv.reader(answer.text.splitlines())
    assert head[:4] == ["id", "at", "user_id", "action"]
    assert row[4] == "'=1+2"
    lines = admin.get("/api/audit/file", params={"action": "test.many", "format": "jsonl"}).text.splitlines()
    assert [json.loads(line)["subject"] for line in lines] == [f"n {n}" for n in reversed(range(1_100))]


def test_the_chain_is_checked_by_stretches_and_elsewhere(site: Site, admin: httpx.Client, tmp_path: Path) -> None:
    store = site.box.appliance.store
    store.write(
        lambda tx: [tx.audit("test.link", f"n {n}", words="größer \u2028", share=0.1 * n) for n in range(2_500)]
    )
    found = site.ok(admin.get("/api/audit/chain"))
    assert (found["checked"], found["broken"]) == (2_000, None)
    while found["checked"] < found["head"]["id"]:
        found = site.ok(admin.get("/api/audit/chain", params={"after": found["checked"]}))
        assert found["broken"] is None
    # The recipe of the manual, on the file as an administrator takes it away.
    (recipe,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/operations.md").read_text("utf-8"), re.DOTALL)
    taken = admin.get("/api/audit/file", params={"format": "jsonl"}).text
    (tmp_path / "audit.jsonl").write_text(taken, "utf-8")
    done = subprocess.run([sys.executable, "-c", recipe], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found["head"]["hash"] in done.stdout
    (tmp_path / "audit.jsonl").write_text(taken.replace('"n 1234"', '"n 4321"'), "utf-8")
    forged = subprocess.run([sys.executable, "-c", recipe], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert forged.returncode != 0


def test_cells_that_begin_like_a_formula_are_defused() -> None:
    rows = [["=a", "+a", "-a", "@a", "\ta", "\ra", "a=b", -5, None]]
    (cells,) = csv.reader(csv_lines(rows).decode().splitlines(keepends=True))
    assert cells[:5] == ["'=a", "'+a", "'-a", "'@a", "'\ta"]
    assert cells[6:] == ["a=b", "-5", ""]


def test_where_one_is_signed_in_and_signing_out_elsewhere(site: Site) -> None:
    here, there = site.box.signed_in("outsider"), site.box.signed_in("outsider")
    places = site.ok(here.get("/api/sessions"))["items"]
    assert [place["current"] for place in places].count(True) == 1
    theirs = next(place["id"] for place in places[-1:])
    other = site.ok(site.people["owner"].get("/api/sessions"))["items"][0]["id"]
    site.refused(here.delete(f"/api/sessions/{other}"), 404, "not-found")
    assert here.delete(f"/api/sessions/{theirs}").status_code == 204
    assert there.get("/api/session").status_code == 401
    again = site.box.signed_in("outsider")
    assert here.delete("/api/sessions").status_code == 204
    assert again.get("/api/session").status_code == 401
    assert len(site.ok(here.get("/api/sessions"))["items"]) == 1
    assert site.audited("session.end")[0]["user_id"] == site.ids["outsider"]
