"""Who may make an account: the door, invitations, and what they give."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.store import invitations, projects
from tests._server import PASSWORD, Serving, serving

BODY = {"email": "new@example.org", "name": "New", "password": PASSWORD}


def refused(answer: httpx.Response, words: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), answer.text
    assert words in answer.json()["detail"]


def invited(admin: httpx.Client, **facts: Any) -> dict[str, Any]:
    answer = admin.post("/api/invitations", json=facts)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_registration_is_by_invitation_unless_the_box_says_otherwise(tmp_path: Path, box: Serving) -> None:
    assert box.client().get("/api/registration").json() == {"registration": "invite"}
    refused(box.client().post("/api/register", json=BODY), "by invitation only")
    with serving(tmp_path / "open", registration="open") as running:
        refused(running.client().post("/api/register", json=BODY), "by itself")
        running.claim()
        client = running.client()
        assert client.post("/api/register", json=BODY).json()["user"]["role"] == "member"
        assert client.get("/api/session").json()["permissions"]["administer"] is False
        twice = client.post("/api/register", json=BODY | {"email": "NEW@example.org"})
        assert (twice.status_code, twice.json()["code"]) == (409, "conflict")


def test_an_administrator_moves_the_door_and_it_stays_so(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        admin = running.claim()
        assert admin.put("/api/registration", json={"registration": "open"}).status_code == 200
        assert running.client().post("/api/register", json=BODY).status_code == 201
        assert admin.put("/api/registration", json={"registration": "ajar"}).status_code == 422
        link = invited(admin)["secret"]
        admin.put("/api/registration", json={"registration": "closed"})
        refused(running.client().post("/api/register", json=BODY | {"invitation": link}), "by itself")
        refused(running.client().post("/api/invitation", json={"secret": link}), "by itself")
        lines = [line for line in admin.get("/api/audit").json()["items"] if line["action"] == "registration.change"]
        assert [line["details"] for line in lines] == [{"registration": "closed"}, {"registration": "open"}]
        assert {line["user_id"] for line in lines} == {1}
    with serving(tmp_path, registration="open") as running:
        assert running.client().get("/api/registration").json() == {"registration": "closed"}


def test_an_invitation_gives_a_role_and_a_place_in_a_project_once(box: Serving, admin: httpx.Client) -> None:
    project = box.appliance.store.write(lambda tx: projects.create(tx, name="Parts", created_by=1))
    made = invited(admin, note="Ben", role="operator", project_id=project.id, project_role="reviewer")
    assert made["path"] == f"/register#{made['secret']}", "what follows a # is sent to nobody"
    guest = box.client()
    offer = guest.post("/api/invitation", json={"secret": made["secret"]}).json()
    assert (offer["role"], offer["project"], offer["project_role"]) == ("operator", "Parts", "reviewer")
    weak = guest.post("/api/register", json=BODY | {"password": "passwordpassword", "invitation": made["secret"]})
    assert (weak.status_code, weak.json()["field"]) == (422, "password"), "a weak password does not use it up"
    answer = guest.post("/api/register", json=BODY | {"invitation": made["secret"]})
    user = answer.json()["user"]
    assert (answer.status_code, user["role"]) == (201, "operator")
    assert guest.get(f"/api/projects/{project.id}").json()["role"] == "reviewer"
    again = {"email": "other@example.org", "invitation": made["secret"]}
    refused(box.client().post("/api/register", json=BODY | again), "used, revoked or too old")
    (listed,) = admin.get("/api/invitations").json()["items"]
    assert (listed["note"], listed["used_by"]) == ("Ben", user["id"])
    actions = [line["action"] for line in admin.get("/api/audit").json()["items"]]
    assert {"invitation.create", "invitation.use", "member.put"} <= set(actions)


def test_one_invitation_makes_one_account_however_many_come_at_once(box: Serving, admin: httpx.Client) -> None:
    link = invited(admin)["secret"]

    def register(number: int) -> int:
        with box.client() as client:
            body = {"email": f"n{number}@example.org", "name": "N", "password": PASSWORD, "invitation": link}
            return client.post("/api/register", json=body).status_code

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(register, range(6))) == [201, 403, 403, 403, 403, 403]


def test_invitations_expire_and_are_revoked(box: Serving, admin: httpx.Client) -> None:
    store = box.appliance.store
    old, revoked = invited(admin), invited(admin)
    store.write(
        lambda tx: tx.execute(
            "UPDATE invitations SET expires_at_ms = ? WHERE id = ?", (tx.now_ms, old["invitation"]["id"])
        )
    )
    assert admin.delete(f"/api/invitations/{revoked['invitation']['id']}").status_code == 204
    for made in (old, revoked):
        refused(box.client().post("/api/invitation", json={"secret": made["secret"]}), "used, revoked or too old")
        refused(box.client().post("/api/register", json=BODY | {"invitation": made["secret"]}), "used, revoked")
    assert admin.delete(f"/api/invitations/{revoked['invitation']['id']}").status_code == 404
    month_ms = 31 * 24 * 3600 * 1000
    store.write(lambda tx: tx.execute("UPDATE invitations SET expires_at_ms = ?", (tx.now_ms - month_ms,)))
    store.write(invitations.purge)
    assert admin.get("/api/invitations").json()["items"] == []


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"project_id": 1}, "project_role"), ({"project_role": "admin"}, "project_role"), ({"valid_s": 1}, "valid_s"),
     ({"project_id": 99, "project_role": "annotator"}, "project_id"), ({"role": "root"}, "role")],
)  # fmt: skip
def test_invitations_that_make_no_sense(admin: httpx.Client, facts: dict[str, Any], field: str) -> None:
    answer = admin.post("/api/invitations", json=facts)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_only_the_hash_of_a_link_is_kept_and_guessing_is_slowed_down(box: Serving, admin: httpx.Client) -> None:
    link = invited(admin)["secret"]
    stored = b"".join(p.read_bytes() for p in box.appliance.store.folder.glob("pixelqueue.sqlite*"))
    assert link.encode() not in stored
    assert link not in admin.get("/api/invitations").text + admin.get("/api/audit").text
    guest = box.client()
    answers = [guest.post("/api/invitation", json={"secret": f"guess {n}"}).status_code for n in range(70)]
    assert answers[0] == 403
    assert answers[-1] == 429
    assert guest.post("/api/register", json=BODY | {"invitation": link}).status_code == 429
