"""Nothing of a project is read or written from another by naming its ids, in the address or in what is sent.

Every request here is one that the same operation takes where the thing belongs, which is shown too.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from appliance.store import Reading
from appliance.web.operations import Operation, operations
from tests._site import Site, box, diff, site_at
from tests._worked import Worked, model_of, worked

ABSENT = 999_999
THINGS = {
    "image_id", "task_id", "label_id", "thread_id", "comment_id", "late_id", "upload_id", "job_id", "snapshot_id",
    "export_id",
}  # fmt: skip
"""What belongs to a project; accounts and models are the box's."""

BY_NAME = {operation.name: operation for operation in operations()}
NESTED = [o for o in operations() if o.permission.of_project and THINGS & set(o.parameters)]
GONE_AFTER = ("late", "export", "snapshot", "comment", "upload", "label", "purge_image", "delete_image")
"""In this order what takes something away is shown to work, after the rest."""

TUS = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}


def _diff(w: Worked) -> dict[str, Any]:
    return {"json": diff(1, added=[box(w.ids["label_id"])])}


REQUESTS: dict[str, Callable[[Worked], dict[str, Any]]] = {
    "save_annotations": _diff,
    "put_late": _diff,
    "add_comment": lambda _: {"json": {"key": secrets.token_urlsafe(12), "text": "Hello"}},
    "read_comments": lambda _: {"json": {}},
    "edit_comment": lambda _: {"json": {"text": "Something else"}},
    "restore_revision": lambda _: {"json": {"diff_id": secrets.token_urlsafe(12), "revision": 1}},
    "change_label": lambda _: {"json": {"name": "other"}},
    "purge_image": lambda _: {"json": {"confirm": "worked.png", "reason": "asked", "delete_snapshots": True}},
    "continue_upload": lambda _: {"content": b"PK", "headers": TUS},
    "override_upload": lambda _: {"content": b"PK", "headers": TUS | {"X-HTTP-Method-Override": "PATCH"}},
    "drop_upload": lambda _: {"headers": TUS},
    "import_upload": lambda _: {"json": {"take": "everything"}},
    "review_task": lambda _: {"json": {"revision": 1, "verdict": "approve"}},
    "segment_image": lambda _: {"json": {"points": [{"x": 8, "y": 8, "positive": True}]}},
    "get_snapshot_changes": lambda w: {"params": {"since": w.ids["snapshot_id"]}},
    "submit_task": lambda _: {"json": {"revision": 1}},
    "skip_task": lambda _: {"json": {"reason": "blurred"}},
    "delete_label": lambda _: {"params": {"annotations": "delete"}},
}
"""What is sent beside the address, of the project it is sent in."""


class Box:
    """A box with two worked projects: the owner's, and one of which the outsider is admin too."""

    def __init__(self, site: Site, model_id: int) -> None:
        self.site = site
        self.victim, self.own = worked(site, model_id), worked(site, model_id)
        url = f"/api/projects/{self.own.project_id}/members/{site.ids['outsider']}"
        site.ok(site.people["owner"].put(url, json={"role": "admin"}))

    def tell(self, who: str, operation: Operation, path: str, sent: dict[str, Any]) -> httpx.Response:
        return self.site.people[who].request(operation.method, path, **sent)

    def rows(self) -> str:
        """Return the hash of all rows that belong to the victim's project."""
        return self.site.box.appliance.store.read(lambda reading: _hash(reading, self.victim.project_id))


def _hash(reading: Reading, project_id: int) -> str:
    columns: dict[str, set[str]] = {}
    sql = "SELECT m.name, p.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS p WHERE m.type = 'table'"
    for table, column in reading.execute(sql):
        columns.setdefault(table, set()).add(column)
    digest = hashlib.sha256()
    for table, names in sorted(columns.items()):
        mine = {
            "project_id": "project_id = :p",
            "image_id": "image_id IN (SELECT id FROM images WHERE project_id = :p)",
            "thread_id": "thread_id IN (SELECT id FROM comments WHERE project_id = :p)",
        }
        condition = "id = :p" if table == "projects" else next((mine[name] for name in mine if name in names), None)
        if condition:
            found = reading.execute(f"SELECT * FROM {table} WHERE {condition}", {"p": project_id})
            digest.update(repr((table, sorted(map(repr, found)))).encode())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    folder = tmp_path_factory.mktemp("foreign")
    with site_at(folder / "data") as site:
        yield Box(site, model_of(site, folder))


def _taken_away_last(operation: Operation) -> int:
    takes = operation.method == "DELETE" or operation.name in ("purge_image", "drop_upload")
    return next((n for n, word in enumerate(GONE_AFTER, 1) if takes and word in operation.name), 0)


def _named(operation: Operation) -> str:
    return operation.name


def _request(operation: Operation, worked: Worked) -> dict[str, Any]:
    return REQUESTS.get(operation.name, lambda _: {})(worked)


def test_there_is_a_request_for_every_operation_that_takes_one():
    assert {o.name for o in NESTED if o.body is not None or o.raw} <= set(REQUESTS) <= {o.name for o in NESTED}


@pytest.mark.parametrize("operation", NESTED, ids=_named)
def test_a_thing_of_another_project_is_not_there(place: Box, operation: Operation) -> None:
    sent, before = _request(operation, place.own), place.rows()
    theirs = {name: place.victim.ids[name] for name in THINGS & set(operation.parameters)}
    foreign = place.tell("outsider", operation, place.own.path(operation.path, **theirs), sent)
    absent = place.tell("outsider", operation, place.own.path(operation.path, **dict.fromkeys(theirs, ABSENT)), sent)
    assert (foreign.status_code, absent.status_code) == (404, 404), (foreign.text, absent.text)
    assert _without(foreign, *theirs.values()) == _without(absent, ABSENT)
    assert place.rows() == before


@pytest.mark.parametrize("operation", NESTED, ids=_named)
def test_a_project_one_is_no_member_of_is_not_there(place: Box, operation: Operation) -> None:
    before = place.rows()
    answer = place.tell("outsider", operation, place.victim.path(operation.path), _request(operation, place.victim))
    assert (answer.status_code, answer.json()["detail"]) == (404, f"there is no project {place.victim.project_id}")
    assert place.rows() == before


def _without(answer: httpx.Response, *ids: int) -> str:
    words = str(answer.json()["detail"]).split()
    return " ".join("n" if word.strip(".,:") in map(str, ids) else word for word in words)


IN_BODIES: list[tuple[str, Callable[[Worked, Worked], dict[str, Any]]]] = [
    *(
        (name, lambda _, a, more=more: {"json": {"ids": [a.ids["image_id"]], **more}})
        for name, more in {
            "delete_images": {}, "reopen_images": {}, "settle_images": {}, "assign_images": {"assignee_id": None},
            "prioritise_images": {"priority": 3}, "set_due": {"due_at_ms": None}, "move_images": {"to": "front"},
        }.items()
    ),
    ("save_annotations", lambda _, a: {"json": diff(1, added=[box(a.ids["label_id"])])}),
    ("add_comment", lambda _, a: {"json": {"key": secrets.token_urlsafe(12), "text": "Hello", "reply_to": a.key}}),
    ("create_export", lambda _, a: {"json": {"format": "coco", "snapshot_id": a.ids["snapshot_id"]}}),
    ("get_snapshot_changes", lambda _, a: {"params": {"since": a.ids["snapshot_id"]}}),
    ("auto_label", lambda b, a: {"json": {"model_id": b.ids["model_id"], "image_ids": [a.ids["image_id"]]}}),
    ("put_model_labels", lambda _, a: {"json": {"labels": [{"class_index": 0, "label_id": a.ids["label_id"]}]}}),
    ("delete_label", lambda _, a: {"params": {"merge_into": a.ids["label_id"]}}),
    ("begin_upload", lambda _, a: {"headers": _batch(a.ids["upload_id"])}),
]  # fmt: skip
EMPTY: list[tuple[str, Callable[[Worked], dict[str, Any]]]] = [
    ("list_images", lambda a: {"label": a.ids["label_id"]}),
    ("list_images", lambda a: {"job": a.ids["job_id"]}),
    ("list_images", lambda a: {"ids": a.ids["image_id"]}),
    ("list_image_ids", lambda a: {"job": a.ids["job_id"]}),
    ("list_outlines", lambda a: {"ids": a.ids["image_id"]}),
    ("list_project_history", lambda a: {"job_id": a.ids["job_id"]}),
    ("list_late", lambda a: {"image_id": a.done["id"]}),
]


def _batch(upload_id: int) -> dict[str, str]:
    from tests.web import _tus as tus

    return tus.header(Upload_Length="10", Upload_Metadata=tus.metadata(filename="a.png", batch=str(upload_id)))


@pytest.mark.parametrize(("name", "request_of"), IN_BODIES, ids=[name for name, _ in IN_BODIES])
def test_a_thing_of_another_project_named_in_a_request_is_left_alone(
    place: Box, name: str, request_of: Callable[[Worked, Worked], dict[str, Any]]
) -> None:
    before, operation = place.rows(), BY_NAME[name]
    here = place.own.path(operation.path)
    theirs = place.tell("outsider", operation, here, request_of(place.own, place.victim))
    if operation.tag == "bulk":
        assert (theirs.status_code, theirs.json()["changed"], theirs.json()["job"]) == (200, 0, None), theirs.text
    else:
        assert theirs.json()["code"] in ("not-found", "invalid-input"), theirs.text
    assert place.rows() == before


@pytest.mark.parametrize(("name", "query_of"), EMPTY, ids=[name for name, _ in EMPTY])
def test_a_filter_by_a_thing_of_another_project_finds_nothing(
    place: Box, name: str, query_of: Callable[[Worked], dict[str, Any]]
) -> None:
    operation = BY_NAME[name]
    here = place.own.path(operation.path)
    theirs = place.tell("outsider", operation, here, {"params": query_of(place.victim)})
    ours = place.tell("outsider", operation, here, {"params": query_of(place.own)})
    assert (theirs.status_code, ours.status_code) == (200, 200), (theirs.text, ours.text)
    assert not _items(theirs), theirs.text
    assert _items(ours) or name == "list_project_history"


def _items(answer: httpx.Response) -> bytes | list[Any]:
    """Return what an answer lists; ids of images alone come as bytes."""
    if answer.headers["content-type"] != "application/json":
        return answer.content
    told = answer.json()
    return next(value for value in told.values() if isinstance(value, list)) if isinstance(told, dict) else told


@pytest.mark.parametrize("operation", [o for o in operations() if o.parameters == ["job_id"]], ids=_named)
def test_a_job_of_another_project_is_not_there(place: Box, operation: Operation) -> None:
    before, path = place.rows(), place.victim.path(operation.path)
    answer = place.tell("outsider", operation, path, {})
    place.site.refused(answer, 404, "not-found")
    assert place.rows() == before
    assert place.tell("owner", operation, path, {}).status_code in (200, 409)


def test_jobs_of_another_project_are_not_listed(place: Box) -> None:
    asked = {"project_id": place.victim.project_id}
    assert place.site.ok(place.site.people["outsider"].get("/api/jobs", params=asked))["items"] == []
    assert place.site.ok(place.site.people["owner"].get("/api/jobs", params=asked))["items"]


@pytest.mark.parametrize("what", ["sessions", "tokens"])
def test_sessions_and_tokens_of_somebody_else_are_not_there(place: Box, what: str) -> None:
    owner, outsider = place.site.people["owner"], place.site.people["outsider"]
    place.site.ok(owner.post("/api/tokens", json={"name": "theirs", "scopes": ["read"]}), 201)
    found = place.site.ok(owner.get(f"/api/{what}"))["items"]
    for item in found:
        place.site.refused(outsider.delete(f"/api/{what}/{item['id']}"), 404, "not-found")
    assert place.site.ok(owner.get(f"/api/{what}"))["items"] == found


@pytest.mark.parametrize("operation", sorted(NESTED, key=_taken_away_last), ids=_named)
def test_the_same_request_is_taken_where_it_belongs(place: Box, operation: Operation) -> None:
    ids = {"image_id": place.own.done["id"]} if operation.name == "delete_image" else {}
    answer = place.tell("owner", operation, place.own.path(operation.path, **ids), _request(operation, place.own))
    found = answer.status_code < 400 or answer.status_code == 409 or "has no tiles" in answer.text
    assert found, answer.text
