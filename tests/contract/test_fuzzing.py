"""Generated requests to every operation, fitting and not, as everybody: each answer is as the description says.

``--cases N`` makes N of each kind for every operation; see docs/security.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import APIOperation, Case, CheckContext, GenerationMode, Response, checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from appliance.web import openapi
from appliance.web.operations import operations
from tests._site import Site, site_at
from tests._worked import Worked, model_of, worked

ABSENT = 999_999
ACTORS = ("nobody", "outsider", "annotator", "reviewer", "operator", "owner", "admin")
"""From who may least to who may most, so that somebody meets the thing before it is deleted."""


def described() -> dict[str, Any]:
    """Return the description without its security schemes: who asks is this test's own affair."""
    document = openapi.document(operations())
    del document["components"]["securitySchemes"]
    for methods in document["paths"].values():
        for operation in methods.values():
            del operation["security"]
    return document


SCHEMA = schemathesis.openapi.from_dict(described())
SCHEMA.config.checks.negative_data_rejection.expected_statuses = ["4XX"]
ENDS_THE_SESSION = "sign_out"
"""The one that is left out: everybody would be signed out for the rest. tests/web/test_account.py has it."""

OPERATIONS = [
    found.ok()
    for found in SCHEMA.get_all_operations()
    if found.ok().definition.raw["operationId"] != ENDS_THE_SESSION
]


def successes_are_named(_ctx: CheckContext, response: Response, case: Case) -> None:
    """The description's default is a problem: what went well has to be named."""
    named = case.operation.responses.status_codes
    assert response.status_code >= 400 or str(response.status_code) in named, (
        f"{response.status_code} is not in {named}"
    )


CHECKS = [
    checks.not_a_server_error,
    successes_are_named,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


class Ground:
    """A box in use that is made good again after each operation: what was deleted is made anew."""

    def __init__(self, site: Site, model_id: int) -> None:
        self.site, self.model_id = site, model_id
        self.spare = site.box.person("spare").id
        self.own, self.foreign = self._worked(), self._worked()
        self.sessions = {name: self._session(name) for name in ACTORS}

    def _worked(self) -> Worked:
        made = worked(self.site, self.model_id)
        role = {"role": "annotator"}
        self.site.ok(
            self.site.people["owner"].put(f"/api/projects/{made.project_id}/members/{self.spare}", json=role)
        )
        made.ids |= {"user_id": self.spare, "session_id": ABSENT, "token_id": ABSENT, "invitation_id": ABSENT}
        return made

    def _session(self, name: str) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers["Origin"] = self.site.box.url
        if name != "nobody":
            cookies = self.site.people[name].cookies.items()
            session.headers["Cookie"] = "; ".join(f"{key}={value}" for key, value in cookies)
        return session

    def mend(self) -> None:
        """Make the project anew where something of it is gone."""
        tables = {"image_id": "images", "comment_id": "comments", "label_id": "labels", "upload_id": "uploads",
                  "snapshot_id": "snapshots", "export_id": "exports", "job_id": "jobs"}  # fmt: skip

        def whole(reading: Any) -> bool:
            rows = (
                reading.execute(f"SELECT 1 FROM {table} WHERE id = ?", (self.own.ids[name],)).fetchall()
                for name, table in tables.items()
            )
            return all(rows)

        if not self.site.box.appliance.store.read(whole):
            self.own = self._worked()

    def tell(self, name: str, case: Case) -> None:
        """Send a case as somebody and hold the answer to the description."""
        session = self.sessions[name]
        answer = case.call(base_url=self.site.box.url, session=session, allow_redirects=False)
        session.cookies.clear()
        case.validate_response(answer, checks=CHECKS)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("fuzzing")
    with site_at(folder / "data", max_upload_bytes=1 << 20, max_model_bytes=1 << 20) as site:
        yield Ground(site, model_of(site, folder))


def kinds_of(operation: APIOperation, ground: Ground) -> Iterator[SearchStrategy[Case]]:
    """Yield what to send: fitting here, fitting in a foreign place and at none, unfit content, unfit addresses.

    Addresses that fit name what was made for this: others might be somebody's own account.
    """
    taken = [parameter.name for parameter in operation.path_parameters]
    own, foreign = (
        {"project_id": w.project_id, "level": 0, "x": 0, "y": 0} | w.ids for w in (ground.own, ground.foreign)
    )
    foreign["user_id"] = ABSENT
    mixed = foreign | {"project_id": own["project_id"]}
    for ids in (own, mixed, dict.fromkeys(own, ABSENT))[: 3 if taken else 1]:
        fixed = {name: ids[name] for name in taken}
        yield operation.as_strategy(GenerationMode.POSITIVE, path_parameters=fixed)
    if operation.body or list(operation.query):
        fixed = {name: own[name] for name in taken}
        yield operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=fixed)
    if taken:
        yield operation.as_strategy(GenerationMode.NEGATIVE)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.definition.raw["operationId"])
def test_every_answer_is_as_described(operation: APIOperation, ground: Ground, pytestconfig: pytest.Config) -> None:
    ground.mend()
    for kind in kinds_of(operation, ground):

        @settings(
            max_examples=pytestconfig.getoption("--cases"),
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=kind)
        def as_everybody(case: Case) -> None:
            for name in ACTORS:
                ground.tell(name, case)

        as_everybody()
