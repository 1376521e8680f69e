"""Forgotten passwords: one-time codes from an administrator or the console."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from appliance.store import resets
from tests._server import PASSWORD, Serving

NEW = "an entirely different phrase"


@pytest.fixture
def ben(box: Serving) -> int:
    return box.person("ben").id


def code_for(admin: httpx.Client, user_id: int) -> str:
    answer = admin.post(f"/api/users/{user_id}/reset")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


def redeemed(client: httpx.Client, code: str, **more: Any) -> httpx.Response:
    return client.post("/api/reset", json={"email": "ben@example.org", "code": code, "password": NEW, **more})


def free(box: Serving) -> None:
    """Let the next try come without its wait: it is not what is looked at."""
    box.appliance.store.write(lambda tx: tx.execute("DELETE FROM limits"))


def test_a_code_sets_the_password_once_and_ends_every_session(box: Serving, admin: httpx.Client, ben: int) -> None:
    before = box.signed_in("ben")
    code = code_for(admin, ben)
    guest = box.client()
    weak = redeemed(guest, code, password="passwordpassword")
    assert (weak.status_code, weak.json()["field"]) == (422, "password"), "a weak password does not use it up"
    assert before.get("/api/session").status_code == 200
    answer = redeemed(guest, code.lower().replace("-", " "))
    assert answer.status_code == 201
    assert guest.get("/api/session").json()["user"]["id"] == ben
    assert before.get("/api/session").status_code == 401
    assert redeemed(box.client(), code).status_code == 403
    old = box.client().post("/api/session", json={"email": "ben@example.org", "password": PASSWORD})
    assert old.status_code == 401
    lines = admin.get("/api/audit").json()["items"]
    assert [line["user_id"] for line in lines if line["action"] == "user.reset"] == [1]
    assert [line["subject"] for line in lines if line["action"] == "password.reset"] == [f"user {ben}"]


def test_only_its_hash_is_kept(box: Serving, admin: httpx.Client, ben: int) -> None:
    code = code_for(admin, ben)
    stored = b"".join(p.read_bytes() for p in box.appliance.store.folder.glob("pixelqueue.sqlite*"))
    assert code.encode() not in stored
    assert code.replace("-", "").encode() not in stored


def test_five_wrong_tries_use_a_code_up(box: Serving, admin: httpx.Client, ben: int) -> None:
    code, guest = code_for(admin, ben), box.client()
    for _ in range(5):
        assert redeemed(guest, "AAAA-AAAA-AAAA").json()["field"] == "code"
        free(box)
    assert redeemed(guest, code).status_code == 403
    free(box)
    assert redeemed(guest, code_for(admin, ben)).status_code == 201


def test_a_code_expires_and_the_next_one_replaces_it(box: Serving, admin: httpx.Client, ben: int) -> None:
    first, second = code_for(admin, ben), code_for(admin, ben)
    assert redeemed(box.client(), first).status_code == 403
    store = box.appliance.store
    store.write(lambda tx: tx.execute("UPDATE resets SET expires_at_ms = ?", (tx.now_ms,)))
    assert redeemed(box.client(), second).status_code == 403
    store.write(resets.purge)
    assert store.read(lambda r: r.execute("SELECT count(*) FROM resets").fetchall()) == [(0,)]


def test_a_password_that_is_set_otherwise_makes_the_code_void(box: Serving, admin: httpx.Client, ben: int) -> None:
    code = code_for(admin, ben)
    assert admin.patch(f"/api/users/{ben}", json={"password": NEW}).status_code == 200
    assert redeemed(box.client(), code).status_code == 403


def test_nobody_learns_who_has_an_account_or_a_code(box: Serving, admin: httpx.Client, ben: int) -> None:
    box.person("eve")
    code_for(admin, ben)
    wrong = redeemed(box.client(), "AAAA-AAAA-AAAA")
    without = redeemed(box.client(), "AAAA-AAAA-AAAA", email="eve@example.org")
    unknown = redeemed(box.client(), "AAAA-AAAA-AAAA", email="nobody@example.org")
    assert wrong.json() == without.json() == unknown.json()
    assert wrong.status_code == 403


def test_a_disabled_account_stays_out(box: Serving, admin: httpx.Client, ben: int) -> None:
    code = code_for(admin, ben)
    admin.patch(f"/api/users/{ben}", json={"disabled": True})
    assert redeemed(box.client(), code).status_code == 403


def test_guessing_is_slowed_down(box: Serving, admin: httpx.Client, ben: int) -> None:
    code_for(admin, ben)
    guest = box.client()
    assert [redeemed(guest, f"AAAA-AAAA-AA{n:02}").status_code for n in range(7)] == [403] * 6 + [429]


def test_a_borrowed_session_cannot_set_its_own_password_without_the_present_one(admin: httpx.Client) -> None:
    own = admin.get("/api/session").json()["user"]["id"]
    assert admin.post(f"/api/users/{own}/reset").status_code == 422
    assert admin.patch(f"/api/users/{own}", json={"password": NEW}).status_code == 422
