"""No operation makes an image done against the review policy, whoever calls it with whatever it takes.

Every operation that changes something is called by everybody, as a session and as a token with
all scopes, with a body that fits and names the image, its task and its revision. Whatever is
answered: the image is not done, and the store says what its approval lacks.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from appliance.records import Draft, Verdict
from appliance.store import policies, tasks
from appliance.web.operations import Operation, operations
from tests._site import ROLES, Site, box, diff, site_at

CHANGING = [o for o in operations() if o.method not in ("GET", "OPTIONS", "WS") and o.permission.of_project]
ELSEWHERE = {"delete_project", "delete_image", "delete_images", "purge_image", "remove_member"}
"""They would take away what the others are tried on."""

POLICIES: dict[str, dict[str, Any]] = {
    "all, and only the annotator calls": {"review_policy": "all"},
    "nobody's own work": {"review_policy": "all", "others_only": True},
    "two reviews": {"review_policy": "all", "reviews": 2},
    "model-made labels": {"review_policy": "none", "model_made": True},
    "a sample of all": {"review_policy": "sample", "sample_percent": 100},
}
SEQUENCES = {"submit_task": 0, "take_task": 1, "next_task": 2, "review_task": 3}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("approval") / "data") as running:
        yield running


class Attempt:
    """An image of the reviewer's own drawing under a policy, and everybody who tries to get it done."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.project_id = site.project(**POLICIES[name])
        self.label = site.labels(self.project_id)[0]["id"]
        self.image_id = site.image(self.project_id)["id"]
        self.others = "others_only" in POLICIES[name] or "reviews" in POLICIES[name]
        self.store = site.box.appliance.store
        if "model_made" in POLICIES[name]:
            self._accepted()
        for who in ROLES if self.others else ("annotator",):
            site.draw(self.project_id, self.image_id, self.label, self.revision, who)
        # Where nobody may approve their own everybody tries, for all of them drew; else who may not review.
        self.callers = ROLES if self.others else ("annotator",)

    def _accepted(self) -> None:
        """Put an accepted prediction on the image, as a run and an annotator leave it."""
        draft = box(self.label, 30)
        self.site.ok(self.site.save(self.project_id, self.image_id, diff(0, added=[draft])))
        sql = "UPDATE annotations SET source = 'model', confidence = 0.9 WHERE image_id = ?"
        self.store.write(lambda tx: tx.execute(sql, (self.image_id,)).fetchall())

    @property
    def revision(self) -> int:
        sql = "SELECT revision FROM images WHERE id = ?"
        return int(self.store.read(lambda r: r.execute(sql, (self.image_id,)).fetchall()[0][0]))

    @property
    def task(self) -> Any:
        return self.store.read(lambda reading: tasks.of_image(reading, self.image_id))

    def clients(self) -> Iterator[httpx.Client]:
        for who in self.callers:
            yield self.site.people[who]
            made = self.site.ok(
                self.site.people[who].post("/api/tokens", json={"name": "all", "scopes": ["read", "write"]}), 201
            )
            with httpx.Client(
                base_url=self.site.box.url, headers={"Authorization": f"Bearer {made['secret']}"}
            ) as program:
                yield program

    def call(self, client: httpx.Client, operation: Operation) -> httpx.Response:
        ids = {"project_id": self.project_id, "image_id": self.image_id, "task_id": self.task.id}
        path = re.sub(r"\{(\w+)\}", lambda m: str(ids.get(m[1], 1)), operation.path)
        body = {"json": sample(operation.body, self)} if operation.body else {}
        if operation.raw:
            body = {"content": b"bytes"}
        return client.request(operation.method, path, **body)

    def require_not_done(self, after: str) -> None:
        task = self.task
        assert task.state != "done", f"{after} made it done with {task.approvals} approvals"
        said = self.store.read(lambda r: policies.unfinished(r, self.project_id, [self.image_id]))
        assert self.image_id in said, after


def sample(kind: Any, at: Attempt) -> Any:
    """Return a body of a type, with what leads nearest to an approval wherever there is a choice."""
    if kind is Verdict or kind is Draft:
        return {}
    info = msgspec.inspect.type_info(kind) if not isinstance(kind, msgspec.inspect.Type) else kind
    assert isinstance(info, msgspec.inspect.StructType), info
    return {field.encode_name: value for field in info.fields if (value := chosen(field, at)) is not _NOTHING}


_NOTHING = object()


def chosen(field: msgspec.inspect.Field, at: Attempt) -> Any:
    name, kind = field.encode_name, field.type
    known: dict[str, Any] = {
        "revision": at.revision,
        "verdict": "approve",
        "ids": [at.image_id],
        "image_ids": [at.image_id],
        "diff_id": f"attempt-{next(_numbers):08d}",
        "added": [box(at.label, 20)],
        "to_revision": at.revision,
        "user_id": at.site.ids["annotator"],
        "people": [at.site.ids["reviewer"]],
        "assignee_id": at.site.ids["reviewer"],
        "label_id": at.label,
        "reason": "because",
        "role": "reviewer",
        "email": "reviewer@example.org",
    }
    if name == "review_policy" or (name in ("verdicts", "pins") and not field.required):
        return _NOTHING  # the policy itself is an admin's to change, and is another test's
    if name in known:
        return known[name]
    return value_of(kind, at) if field.required else _NOTHING


_numbers = itertools.count(1)


def value_of(kind: Any, at: Attempt) -> Any:
    """Return any value of a type."""
    inspect = msgspec.inspect
    if isinstance(kind, inspect.UnionType):
        return value_of(kind.types[0], at)
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, inspect.StructType):
        return sample(kind, at)
    simple: dict[type, Any] = {
        inspect.IntType: getattr(kind, "ge", None) or 1, inspect.FloatType: 0.5, inspect.BoolType: True,
        inspect.NoneType: None, inspect.ListType: [], inspect.DictType: {}, inspect.VarTupleType: [],
    }  # fmt: skip
    if isinstance(kind, inspect.StrType):
        return "word-0001"
    return simple.get(type(kind))


@pytest.mark.parametrize("name", POLICIES)
def test_no_operation_makes_an_image_done_against_the_policy(site: Site, name: str) -> None:
    attempt = Attempt(site, name)
    tried = [o for o in CHANGING if o.name not in ELSEWHERE]
    # Work first, then judge, then everything else, and once more over what that left.
    tried.sort(key=lambda o: SEQUENCES.get(o.name, len(SEQUENCES)))
    called = set()
    for client in attempt.clients():
        for operation in (*tried, *tried[: len(SEQUENCES)]):
            answer = attempt.call(client, operation)
            assert answer.status_code < 500, f"{operation.name}: {answer.text[:300]}"
            called.add((operation.name, answer.is_success))
            attempt.require_not_done(f"{operation.name} ({answer.status_code})")
    assert ("submit_task", True) in called, "the attempt never came as far as handing in"
    if attempt.others:
        assert ("review_task", False) in called


def test_the_same_attempts_get_it_done_where_the_policy_allows(site: Site) -> None:
    """Or the test above would prove nothing."""
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    image = site.approved(project_id, label)
    store = site.box.appliance.store
    assert site.task(project_id, image["id"])["state"] == "done"
    assert store.read(lambda r: policies.unfinished(r, project_id, [image["id"]])) == {}


def test_every_operation_is_tried() -> None:
    names = {o.name for o in CHANGING}
    assert names >= ELSEWHERE | set(SEQUENCES)
    assert {"submit_task", "review_task", "save_annotations", "apply_late", "settle_images"} <= names - ELSEWHERE
