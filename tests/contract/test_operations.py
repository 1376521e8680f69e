"""What holds for every operation of the API, whoever declared it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import appliance
from appliance.store import members, projects
from appliance.web import openapi
from appliance.web.dispatch import falcon_path
from appliance.web.operations import Operation, operations
from appliance.web.permissions import Permission
from tests._server import Serving, serving

ALL = operations()
HTTP = [operation for operation in ALL if operation.method != "WS"]
OF_PROJECT = [operation for operation in HTTP if operation.permission.of_project]
OF_BOX = [operation for operation in HTTP if operation.permission in (Permission.ADMIN, Permission.OPERATE)]
ELSEWHERE = 999_999


def name(operation: Operation) -> str:
    return operation.name


class Site:
    """A server with two projects, each with its own administrator, annotator and reviewer."""

    def __init__(self, running: Serving) -> None:
        self.running = running
        self.admin = running.claim()
        self.operator = self._person("otto", "operator")
        self.annotator = self._person("anna")
        self.reviewer = self._person("rita")
        self.owner = self._person("olaf")
        self.stranger = self._person("stan")
        self.signed_out = running.client()
        self.project_id = self._project("olaf")
        self.other_id = self._project("stan")
        self._join("anna", "annotator")
        self._join("rita", "reviewer")

    def _person(self, called: str, role: str = "member") -> httpx.Client:
        self.running.person(called, role)
        return self.running.signed_in(called)

    def _id(self, called: str) -> int:
        sql = "SELECT id FROM users WHERE email = ?"
        store = self.running.appliance.store
        return store.read(lambda r: r.execute(sql, (f"{called}@example.org",)).fetchall()[0][0])

    def _project(self, owner: str) -> int:
        owner_id = self._id(owner)
        store = self.running.appliance.store
        return store.write(lambda tx: projects.create(tx, name=f"of {owner}", created_by=owner_id)).id

    def _join(self, called: str, role: str) -> None:
        user_id = self._id(called)
        self.running.appliance.store.write(lambda tx: members.put(tx, self.project_id, user_id, role))

    def call(self, client: httpx.Client, operation: Operation, project_id: int) -> httpx.Response:
        """Send the operation with ids that exist nowhere, a body that fits nothing, if it takes one."""
        path = operation.path.replace("{project_id}", str(project_id))
        path = re.sub(r"\{\w+\}", str(ELSEWHERE), path)
        body = {"content": b"{}", "headers": {"Content-Type": "application/json"}} if operation.body else {}
        return client.request(operation.method, path, **body)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("site")) as running:
        yield Site(running)


@pytest.mark.parametrize("operation", ALL, ids=name)
def test_it_says_what_it_is(operation: Operation) -> None:
    assert isinstance(operation.permission, Permission)
    assert operation.summary
    assert not operation.summary.endswith(".")
    assert operation.path.startswith("/api/")
    assert len(set(operation.parameters)) == len(operation.parameters)
    assert "{" not in re.sub(r"\{\w+\}", "", operation.path)
    assert falcon_path(operation).count(":int(") == len(operation.parameters)


@pytest.mark.parametrize("operation", [o for o in ALL if o.changes_state], ids=name)
def test_it_writes_the_audit_log_or_says_why_not(operation: Operation) -> None:
    if operation.unaudited:
        assert len(operation.unaudited) > 10
        return
    root = Path(appliance.__file__).parent
    sources = "".join(p.read_text("utf-8") for part in ("store", "jobs", "web") for p in (root / part).rglob("*.py"))
    written = re.search(rf"""(?<!audit=)["']{re.escape(operation.audit or "")}["']""", sources)
    assert written, f"nothing writes {operation.audit!r}"


@pytest.mark.parametrize("operation", HTTP, ids=name)
def test_signed_out_nothing_but_what_is_public_answers(site: Site, operation: Operation) -> None:
    answer = site.call(site.signed_out, operation, site.project_id)
    if operation.permission is Permission.PUBLIC:
        assert answer.status_code < 500
        assert answer.status_code != 401
    else:
        assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


@pytest.mark.parametrize("operation", OF_PROJECT, ids=name)
def test_a_project_does_not_exist_for_who_is_no_member(site: Site, operation: Operation) -> None:
    foreign = site.call(site.stranger, operation, site.project_id)
    missing = site.call(site.stranger, operation, ELSEWHERE)
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.json()["detail"].replace(str(site.project_id), "") == missing.json()["detail"].replace(
        str(ELSEWHERE), ""
    )


@pytest.mark.parametrize("operation", OF_PROJECT, ids=name)
def test_a_project_role_allows_what_it_should_and_no_more(site: Site, operation: Operation) -> None:
    allowed = {
        Permission.PROJECT_OVERVIEW: {"annotator", "reviewer", "owner", "operator", "admin"},
        Permission.PROJECT_READ: {"annotator", "reviewer", "owner", "admin"},
        Permission.PROJECT_ANNOTATE: {"annotator", "reviewer", "owner", "admin"},
        Permission.PROJECT_REVIEW: {"reviewer", "owner", "admin"},
        Permission.PROJECT_EXPORT: {"owner", "operator", "admin"},
        Permission.PROJECT_ADMIN: {"owner", "admin"},
    }[operation.permission]
    for role in ("annotator", "reviewer", "owner", "operator", "admin"):
        if role in allowed and operation.method == "DELETE" and operation.parameters == ["project_id"]:
            continue
        answer = site.call(getattr(site, role), operation, site.project_id)
        refused = answer.status_code == 403 and answer.json()["detail"].startswith("this needs the right")
        assert refused is (role not in allowed), f"{role}: {answer.status_code} {answer.text[:200]}"
        assert answer.status_code < 500


@pytest.mark.parametrize(
    "operation", [o for o in HTTP if o.permission in (Permission.ADMIN, Permission.OPERATE)], ids=name
)
def test_only_its_people_administer_and_operate(site: Site, operation: Operation) -> None:
    for role in ("annotator", "owner", "operator"):
        answer = site.call(getattr(site, role), operation, site.project_id)
        may = role == "operator" and operation.permission is Permission.OPERATE
        assert (answer.status_code == 403) is not may


@pytest.mark.parametrize("operation", [o for o in HTTP if o.permission is not Permission.PUBLIC], ids=name)
def test_a_token_does_what_its_scopes_say(site: Site, operation: Operation) -> None:
    made = site.admin.post("/api/tokens", json={"name": "reader", "scopes": ["read"]}).json()
    program = httpx.Client(base_url=site.running.url, headers={"Authorization": f"Bearer {made['secret']}"})
    answer = site.call(program, operation, site.project_id)
    site.admin.delete(f"/api/tokens/{made['id']}")
    program.close()
    reads = operation.method in ("GET", "OPTIONS") and operation.permission is not Permission.ADMIN
    assert (answer.status_code == 403) is not reads, answer.text[:200]


@pytest.mark.parametrize("operation", [o for o in HTTP if not o.raw], ids=name)
def test_unknown_query_parameters_are_refused(site: Site, operation: Operation) -> None:
    path = re.sub(r"\{\w+\}", str(site.project_id), operation.path)
    answer = site.admin.request(operation.method, path, params={"no_such_parameter": "1"})
    assert answer.status_code == 400
    assert answer.json()["field"] == "no_such_parameter"


def test_the_description_names_every_operation_once(site: Site) -> None:
    served = site.signed_out.get("/api/openapi.json").json()
    assert served["openapi"].startswith("3.1")
    ids = [op["operationId"] for methods in served["paths"].values() for op in methods.values()]
    assert sorted(ids) == sorted(operation.name for operation in ALL)
    for operation in ALL:
        described = served["paths"][operation.path]["get" if operation.method == "WS" else operation.method.lower()]
        assert described["summary"] == operation.summary
        assert described["x-permission"] == operation.permission.value
        in_path = [p["name"] for p in described["parameters"] if p["in"] == "path"]
        assert in_path == operation.parameters


def test_every_reference_of_the_description_leads_somewhere() -> None:
    document = openapi.document(ALL)
    found = set(re.findall(r"#/components/schemas/([^'\"]+)", repr(document)))
    assert found <= set(document["components"]["schemas"])
