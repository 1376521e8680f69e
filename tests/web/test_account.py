"""Setting up, signing in and out, passwords, tokens, users: the rules, against a real server."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from appliance.store import limits, sessions, setup
from tests._server import PASSWORD, Serving, serving

NEW_PASSWORD = "an entirely different phrase"
SIGN_IN = {"email": "admin@example.org", "password": PASSWORD}


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_the_first_run_is_claimed_once_with_the_consoles_code(fresh: Serving) -> None:
    stranger = fresh.client()
    body = {"code": "AAAA-AAAA-AAAA", "email": "a@b.org", "name": "A", "password": PASSWORD}
    assert stranger.get("/api/setup").json() == {"needed": True}
    assert code_of(stranger.post("/api/setup", json=body)) == (403, "forbidden")
    first = fresh.claim()
    session = first.get("/api/session").json()
    assert session["user"]["role"] == "admin"
    assert session["permissions"] == {"create_project": True, "administer": True, "operate": True}
    assert stranger.get("/api/setup").json() == {"needed": False}
    again = stranger.post("/api/setup", json=body | {"code": fresh.code})
    assert code_of(again) == (404, "not-found")


def test_only_the_hash_of_the_claim_code_is_kept(fresh: Serving) -> None:
    assert fresh.code is not None
    stored = b"".join(p.read_bytes() for p in fresh.appliance.store.folder.glob("pixelqueue.sqlite*"))
    assert fresh.code.encode() not in stored
    assert fresh.code.replace("-", "").encode() not in stored


def test_guessing_the_claim_code_is_slowed_down(fresh: Serving) -> None:
    client = fresh.client()
    body = {"code": "x", "email": "a@b.org", "name": "A", "password": PASSWORD}
    answers = [client.post("/api/setup", json=body) for _ in range(7)]
    assert [a.status_code for a in answers] == [403] * 6 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_a_claim_code_expires(fresh: Serving) -> None:
    store = fresh.appliance.store
    store.write(lambda tx: tx.execute("UPDATE meta SET value = '1' WHERE key = 'claim_until_ms'"))
    body = {"code": fresh.code, "email": "a@b.org", "name": "A", "password": PASSWORD}
    assert code_of(fresh.client().post("/api/setup", json=body)) == (403, "forbidden")
    assert store.write(setup.issue) not in (None, fresh.code)


@pytest.mark.parametrize(
    "password",
    ["short", "elevenchars", "passwordpassword", "Password123456", "qwertyuiop123", "1qaz2wsx3edc", "aaaaaaaaaaaaaa",
     "iloveyou2023!", "P@ssw0rdP@ssw0rd", "admin@example.org", "x" * 257],
)  # fmt: skip
def test_weak_passwords_are_refused_with_words_that_do_not_repeat_them(fresh: Serving, password: str) -> None:
    body = {"code": fresh.code, "email": "admin@example.org", "name": "Ada", "password": password}
    answer = fresh.client().post("/api/setup", json=body)
    assert code_of(answer) == (422, "invalid-input")
    assert answer.json()["field"] == "password"
    assert password not in answer.text


def test_sign_in_makes_a_new_session_and_sign_out_ends_it(box: Serving) -> None:
    client = box.client()
    assert client.get("/api/session").status_code == 401
    answer = client.post("/api/session", json=SIGN_IN)
    first = client.cookies["pixelqueue_session"]
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    client.post("/api/session", json=SIGN_IN)
    assert client.cookies["pixelqueue_session"] != first
    stale = box.client(cookies={"pixelqueue_session": first})
    assert stale.get("/api/session").status_code == 401, "signing in again ends the session before"
    kept = client.cookies["pixelqueue_session"]
    assert client.delete("/api/session").status_code == 204
    assert box.client(cookies={"pixelqueue_session": kept}).get("/api/session").status_code == 401


def test_secrets_are_kept_as_hashes_only(box: Serving, admin: httpx.Client) -> None:
    token = admin.post("/api/tokens", json={"name": "t", "scopes": ["read"]}).json()["secret"]
    stored = b"".join(p.read_bytes() for p in box.appliance.store.folder.glob("pixelqueue.sqlite*"))
    for secret in (admin.cookies["pixelqueue_session"], token, PASSWORD):
        assert secret.encode() not in stored


def test_unknown_users_and_wrong_passwords_get_the_same_answer_after_one_verification(
    box: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    hasher = box.appliance.services.passwords._hasher
    original = type(hasher).verify
    monkeypatch.setattr(type(hasher), "verify", lambda self, *a: (verified.append(a[0][:30]), original(self, *a))[1])
    client = box.client()
    wrong = client.post("/api/session", json=SIGN_IN | {"password": "not this one at all"})
    unknown = client.post("/api/session", json=SIGN_IN | {"email": "nobody@example.org"})
    bodies = [answer.json() for answer in (wrong, unknown)]
    assert bodies[0] == bodies[1]
    assert len(verified) == 2
    assert verified[0] == verified[1], "the hash of nobody has the same parameters"


def test_guessing_is_slowed_down_survives_a_restart_and_ends(tmp_path: Path) -> None:
    wrong = SIGN_IN | {"password": "not this one at all"}
    with serving(tmp_path) as first:
        first.claim()
        client = first.client()
        statuses = [client.post("/api/session", json=wrong).status_code for _ in range(7)]
        assert statuses == [401] * 6 + [429]
    with serving(tmp_path) as second:
        client = second.client()
        assert second.code is None
        # However fast the restart was, more guesses only make the wait longer: never for good.
        store = second.appliance.store
        assert store.read(lambda r: limits.failures(r, limits.ACCOUNT, "ADMIN@example.org ")) == 6
        store.write(lambda tx: tx.execute("UPDATE limits SET blocked_until_ms = ?", (tx.now_ms + 5000,)))
        blocked = client.post("/api/session", json=SIGN_IN)
        assert code_of(blocked) == (429, "too-many-requests")
        assert 1 <= int(blocked.headers["Retry-After"]) <= 6
        store.write(lambda tx: tx.execute("UPDATE limits SET blocked_until_ms = 0"))
        assert client.post("/api/session", json=SIGN_IN).status_code == 201
        assert store.read(lambda r: limits.failures(r, limits.ACCOUNT, "admin@example.org")) == 0


def test_a_burst_of_guesses_cannot_outrun_the_limit(box: Serving) -> None:
    def guess(n: int) -> int:
        with box.client() as client:
            return client.post("/api/session", json=SIGN_IN | {"password": f"a wrong password {n}"}).status_code

    with ThreadPoolExecutor(12) as threads:
        statuses = list(threads.map(guess, range(24)))
    assert statuses.count(401) <= 7
    assert statuses.count(401) + statuses.count(429) == 24


def _from(box: Serving, address: str) -> httpx.Client:
    """A client whose connections come from another address of this machine."""
    return box.client(transport=httpx.HTTPTransport(local_address=address))


def test_guessing_one_account_from_many_addresses_is_slowed_down(box: Serving) -> None:
    statuses = []
    for number in range(7):
        guesser = _from(box, f"127.0.0.{10 + number}")
        statuses.append(guesser.post("/api/session", json=SIGN_IN | {"password": "not this one at all"}).status_code)
    assert statuses == [401] * 6 + [429]
    assert box.appliance.store.read(lambda r: limits.failures(r, limits.ADDRESS, "127.0.0.12")) == 1


def test_guessing_many_accounts_from_one_address_is_slowed_down_there_only(box: Serving) -> None:
    guesser = _from(box, "127.0.0.66")
    statuses = [
        guesser.post(
            "/api/session", json={"email": f"n{n}@example.org", "password": "not this one at all"}
        ).status_code
        for n in range(62)
    ]
    assert statuses == [401] * 61 + [429]
    assert box.client().post("/api/session", json=SIGN_IN).status_code == 201, "others are not held up"


def test_a_session_that_somebody_else_chose_is_never_taken_over(box: Serving) -> None:
    fixed = "A" * 43
    victim = box.client(cookies={"pixelqueue_session": fixed})
    answer = victim.post("/api/session", json=SIGN_IN)
    assert answer.cookies["pixelqueue_session"] != fixed
    assert box.client(cookies={"pixelqueue_session": fixed}).get("/api/session").status_code == 401


def test_a_clock_that_is_set_back_lengthens_no_session(box: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    admin, store = box.clients[0] if box.clients else box.claim(), box.appliance.store
    day_ms = 24 * 3600 * 1000
    store.write(lambda tx: tx.execute("UPDATE sessions SET seen_at_ms = seen_at_ms - ?", (day_ms,)))
    wall_ns = time.time_ns()
    monkeypatch.setattr("appliance.store.clock.time.time_ns", lambda: wall_ns - 7 * day_ms * 1_000_000)
    assert admin.get("/api/session").status_code == 401


def test_changing_the_password_needs_the_old_one_and_ends_other_sessions(box: Serving, admin: httpx.Client) -> None:
    other = box.client()
    other.post("/api/session", json=SIGN_IN)
    wrong = admin.post("/api/password", json={"old": "not this one at all", "new": NEW_PASSWORD})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "old")
    weak = admin.post("/api/password", json={"old": PASSWORD, "new": "passwordpassword"})
    assert (weak.status_code, weak.json()["field"]) == (422, "new")
    body = {"old": PASSWORD, "new": NEW_PASSWORD, "end_other_sessions": True}
    assert admin.post("/api/password", json=body).status_code == 204
    assert admin.get("/api/session").status_code == 200
    assert other.get("/api/session").status_code == 401
    assert other.post("/api/session", json=SIGN_IN).status_code == 401
    assert other.post("/api/session", json=SIGN_IN | {"password": NEW_PASSWORD}).status_code == 201


def test_hashes_grow_with_the_settings_at_sign_in(tmp_path: Path) -> None:
    def kept(running: Serving) -> str:
        return running.appliance.store.read(lambda r: r.execute("SELECT password_hash FROM users").fetchall()[0][0])

    with serving(tmp_path) as running:
        running.claim()
        assert "t=2" in kept(running)
    with serving(tmp_path, argon2_time=3) as running:
        running.client().post("/api/session", json=SIGN_IN)
        assert "t=3" in kept(running)
        assert running.client().post("/api/session", json=SIGN_IN).status_code == 201


def test_parameters_below_the_floor_are_raised_to_it(tmp_path: Path) -> None:
    with serving(tmp_path, argon2_memory_kib=64, argon2_time=1) as running:
        running.claim()
        kept = running.appliance.store.read(lambda r: r.execute("SELECT password_hash FROM users").fetchall()[0][0])
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_sessions_end_when_idle_and_at_their_utmost_age(box: Serving, admin: httpx.Client) -> None:
    store = box.appliance.store
    secret, now_ms = admin.cookies["pixelqueue_session"], store.clock.now_ms()

    def found(*, after_s: int, idle_s: int, max_s: int) -> bool:
        at_ms = now_ms + after_s * 1000
        return bool(store.read(lambda r: sessions.find(r, secret, now_ms=at_ms, idle_s=idle_s, max_s=max_s)))

    assert found(after_s=50, idle_s=60, max_s=600)
    assert not found(after_s=70, idle_s=60, max_s=600)
    store.write(lambda tx: tx.execute("UPDATE sessions SET seen_at_ms = ?", (now_ms + 700_000,)))
    assert not found(after_s=700, idle_s=60, max_s=600), "use does not extend a session past its utmost age"


def test_disabling_and_a_new_role_act_at_once(box: Serving, admin: httpx.Client) -> None:
    user = box.person("ben")
    ben = box.signed_in("ben")
    token = ben.post("/api/tokens", json={"name": "t", "scopes": ["read", "write", "admin"]}).json()["secret"]
    program = httpx.Client(base_url=box.url, headers={"Authorization": f"Bearer {token}"})
    box.clients.append(program)
    assert program.get("/api/users").status_code == 403, "a scope gives no more than the user has"
    assert admin.patch(f"/api/users/{user.id}", json={"role": "admin"}).json()["role"] == "admin"
    assert ben.get("/api/session").status_code == 401, "sign in anew with the new role"
    assert program.get("/api/users").status_code == 200
    assert admin.patch(f"/api/users/{user.id}", json={"disabled": True}).status_code == 200
    assert program.get("/api/session").status_code == 401
    answer = box.client().post("/api/session", json={"email": "ben@example.org", "password": PASSWORD})
    assert code_of(answer) == (401, "not-signed-in")


def test_the_last_administrator_stays(box: Serving, admin: httpx.Client) -> None:
    own = admin.get("/api/session").json()["user"]["id"]
    for change in ({"role": "member"}, {"disabled": True}):
        assert code_of(admin.patch(f"/api/users/{own}", json=change)) == (409, "conflict")
    box.person("zoe", "admin")
    assert admin.patch(f"/api/users/{own}", json={"role": "member"}).status_code == 200


def test_tokens_are_scoped_shown_once_and_revocable(box: Serving, admin: httpx.Client) -> None:
    made = admin.post("/api/tokens", json={"name": "reader", "scopes": ["read"]})
    assert made.status_code == 201
    secret, token_id = made.json()["secret"], made.json()["id"]
    assert secret not in admin.get("/api/tokens").text
    program = httpx.Client(base_url=box.url, headers={"Authorization": f"Bearer {secret}"})
    box.clients.append(program)
    assert program.get("/api/session").status_code == 200
    assert code_of(program.get("/api/users")) == (403, "forbidden"), "administering needs the scope admin"
    assert code_of(program.delete(f"/api/tokens/{token_id}")) == (403, "forbidden")
    assert code_of(program.post("/api/tokens", json={"name": "x", "scopes": ["admin"]})) == (403, "forbidden")
    box.person("eve")
    assert box.signed_in("eve").delete(f"/api/tokens/{token_id}").status_code == 404
    assert admin.delete(f"/api/tokens/{token_id}").status_code == 204
    assert program.get("/api/session").status_code == 401
    assert admin.get(f"/api/session?token={secret}").status_code == 400, "a secret never goes into an address"


def test_a_token_ends_when_it_was_told_to_and_says_when_it_was_used(box: Serving, admin: httpx.Client) -> None:
    made = admin.post("/api/tokens", json={"name": "a day", "scopes": ["read"], "valid_s": 86_400}).json()
    assert made["expires_at_ms"] == made["created_at_ms"] + 86_400_000
    program = httpx.Client(base_url=box.url, headers={"Authorization": f"Bearer {made['secret']}"})
    box.clients.append(program)
    assert program.get("/api/session").status_code == 200
    box.appliance.store.write(lambda _tx: None)  # the note of the use was queued before this
    (listed,) = admin.get("/api/tokens").json()["items"]
    assert listed["expires_at_ms"] == made["expires_at_ms"]
    assert listed["last_used_at_ms"] >= made["created_at_ms"]
    box.appliance.store.write(lambda tx: tx.execute("UPDATE tokens SET expires_at_ms = ?", (tx.now_ms,)))
    assert program.get("/api/session").status_code == 401


def test_the_audit_log_tells_and_cannot_be_changed(box: Serving, admin: httpx.Client) -> None:
    box.client().post("/api/session", json=SIGN_IN | {"password": "not this one at all"})
    admin.post("/api/users", json={"email": "c@example.org", "name": "C", "password": PASSWORD})
    entries = admin.get("/api/audit").json()["items"]
    assert [e["action"] for e in entries[:2]] == ["user.create", "session.refuse"]
    assert entries[0]["user_id"] == 1
    assert PASSWORD not in admin.get("/api/audit").text
    assert [e["id"] for e in entries] == sorted((e["id"] for e in entries), reverse=True)
    page = admin.get("/api/audit", params={"limit": 2}).json()
    older = admin.get("/api/audit", params={"limit": 2, "after": page["next"]}).json()
    assert [e["id"] for e in page["items"] + older["items"]] == [e["id"] for e in entries[:4]]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert admin.request(method, "/api/audit").status_code == 405


def test_a_demo_never_leaves_the_machine(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        running.appliance.store.write(setup.mark_demo)
        assert running.claim().get("/api/session").json()["box"]["demo"] is True
    with pytest.raises(Exception, match="demo"), serving(tmp_path, host="127.1"):
        pass


def test_every_change_of_accounts_leaves_its_line(box: Serving, admin: httpx.Client) -> None:
    made = admin.post("/api/users", json={"email": "c@example.org", "name": "C", "password": PASSWORD}).json()
    admin.patch(f"/api/users/{made['id']}", json={"name": "D"})
    token = admin.post("/api/tokens", json={"name": "t", "scopes": ["read"]}).json()
    admin.delete(f"/api/tokens/{token['id']}")
    admin.post("/api/password", json={"old": PASSWORD, "new": NEW_PASSWORD, "end_other_sessions": False})
    admin.delete("/api/session")
    admin.post("/api/session", json=SIGN_IN | {"password": NEW_PASSWORD})
    actions = [entry["action"] for entry in admin.get("/api/audit").json()["items"]]
    assert actions[::-1] == [
        "user.create", "setup.claim", "session.start", "user.create", "user.change", "token.create", "token.revoke",
        "password.change", "session.end", "session.start",
    ]  # fmt: skip
    sql = "SELECT count(*) FROM audit WHERE id > 2 AND user_id IS NOT 1"
    assert box.appliance.store.read(lambda r: r.execute(sql).fetchall()) == [(0,)]


def test_a_box_has_a_name_for_good_that_no_other_box_has(tmp_path: Path) -> None:
    names = []
    for folder in ("one", "two"):
        with serving(tmp_path / folder) as first:
            names.append(first.claim().get("/api/session").json()["box"]["id"])
    with serving(tmp_path / "one") as again:
        client = again.client()
        names.append(client.post("/api/session", json=SIGN_IN).json()["box"]["id"])
    assert names[0] == names[2] != names[1]
    assert len(names[0]) == 32


def test_a_page_never_acts_for_whoever_signed_in_after_its_user(box: Serving, admin: httpx.Client) -> None:
    mine = {"X-PixelQueue-User": str(admin.get("/api/session").json()["user"]["id"])}
    assert admin.get("/api/projects", headers=mine).status_code == 200
    box.person("next")
    facts = {"email": "next@example.org", "password": PASSWORD}
    assert admin.post("/api/session", json=facts, headers=mine).status_code == 201
    assert code_of(admin.get("/api/projects", headers=mine)) == (401, "not-signed-in")
    assert code_of(admin.delete("/api/session", headers=mine)) == (401, "not-signed-in")
    assert admin.get("/api/projects").status_code == 200
