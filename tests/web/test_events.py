"""The event socket: who sees what, resuming without a gap, and losing the right to watch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from appliance.records import Event, User
from appliance.store import events, members, projects
from appliance.web import hub
from tests._server import Serving


@contextmanager
def watching(box: Serving, client: httpx.Client, query: str = "", **headers: str) -> Iterator[ClientConnection]:
    sent = {"Origin": box.url, **headers}
    if client.cookies:
        sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in client.cookies.items())
    with connect(box.url.replace("http", "ws") + "/api/events" + query, additional_headers=sent) as socket:
        yield socket


def message(socket: ClientConnection) -> dict[str, Any]:
    return json.loads(socket.recv(timeout=20))


def close_code(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        until(socket, "never sent")
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def until(socket: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """Read up to and with the first message of a kind."""
    read = [message(socket)]
    while read[-1]["kind"] != kind:
        read.append(message(socket))
    return read


def tell(
    box: Serving, kind: str, number: int = 0, *, project_id: int | None = None, user_id: int | None = None
) -> int:
    store = box.appliance.store
    store.write(lambda tx: tx.event(kind, {"number": number}, project_id=project_id, user_id=user_id))
    return store.read(events.latest)


def project_of(box: Serving, owner: User) -> int:
    return box.appliance.store.write(lambda tx: projects.create(tx, name="p", created_by=owner.id)).id


def test_a_watcher_is_greeted_and_told_what_its_projects_do(box: Serving) -> None:
    ann, bob = box.person("ann"), box.person("bob")
    mine, theirs = project_of(box, ann), project_of(box, bob)
    with watching(box, box.signed_in("ann")) as socket:
        hello = message(socket)
        assert hello == {"kind": "hello", "seq": box.appliance.store.read(events.latest)}
        tell(box, "task.changed", 1, project_id=theirs)
        tell(box, "model.added", 2)
        tell(box, "note", 3, user_id=bob.id)
        seq = tell(box, "task.changed", 4, project_id=mine)
        got = message(socket)
        assert {k: got[k] for k in ("seq", "kind", "project_id", "data")} == {
            "seq": seq, "kind": "task.changed", "project_id": mine, "data": {"number": 4},
        }  # fmt: skip
        assert set(got) == {"seq", "kind", "project_id", "data", "at_ms"}


def test_an_administrator_sees_every_project_and_an_operator_what_exporting_needs(
    box: Serving, admin: httpx.Client
) -> None:
    ann = box.person("ann")
    box.person("otto", "operator")
    project_id = project_of(box, ann)
    with watching(box, admin) as all_of_it, watching(box, box.signed_in("otto")) as some:
        message(all_of_it)
        message(some)
        tell(box, "annotations.changed", 1, project_id=project_id)
        tell(box, "export.made", 2, project_id=project_id)
        assert [message(all_of_it)["data"]["number"] for _ in range(2)] == [1, 2]
        assert message(some)["data"]["number"] == 2


def test_resuming_gives_each_event_once_and_in_order(box: Serving, admin: httpx.Client) -> None:
    start, store = tell(box, "n", 0), box.appliance.store

    def flood(numbers: range) -> list[Future[None]]:
        return [store.writing(lambda tx, n=n: tx.event("n", {"number": n})) for n in numbers]

    backlog = flood(range(1200))
    with watching(box, admin, f"?after={start}") as socket:
        news = flood(range(1200, 3000))  # more than a feed holds, while the backlog is being sent
        for pending in backlog + news:
            pending.result()
        assert message(socket)["kind"] == "hello"
        got = [message(socket) for _ in range(3000)]
    assert [m["data"]["number"] for m in got] == list(range(3000))
    assert [m["seq"] for m in got] == list(range(start + 1, start + 3001))


def test_events_that_wait_together_come_as_one_list_to_whoever_takes_lists(box: Serving, admin: httpx.Client) -> None:
    start = tell(box, "n", 0)
    last = [tell(box, "n", number) for number in (1, 2, 3)][-1]
    with watching(box, admin, f"?after={start}&together=true") as socket:
        assert message(socket) == {"kind": "hello", "seq": last}
        together = json.loads(socket.recv(timeout=20))
        tell(box, "n", 4)
        alone = message(socket)
    assert [m["data"]["number"] for m in together] == [1, 2, 3]
    assert alone["data"] == {"number": 4}


def test_past_the_retention_a_watcher_is_told_to_resync(box: Serving, admin: httpx.Client) -> None:
    for number in range(5):
        tell(box, "n", number)
    store = box.appliance.store
    store.write(lambda tx: events.trim(tx, 2))
    latest = store.read(events.latest)
    for after in (1, latest + 1000):
        with watching(box, admin, f"?after={after}") as socket:
            assert [message(socket)["kind"] for _ in range(2)] == ["hello", "resync"]
            assert message_after_news(box, socket) == 7
    with watching(box, admin, f"?after={latest - 2}") as socket:
        message(socket)
        assert message(socket)["seq"] == latest - 1, "what is kept is sent"


def message_after_news(box: Serving, socket: ClientConnection) -> int:
    tell(box, "n", 7)
    return message(socket)["data"]["number"]


def test_a_membership_counts_from_the_moment_it_changes(box: Serving) -> None:
    ann, bob = box.person("ann"), box.person("bob")
    project_id = project_of(box, ann)
    with watching(box, box.signed_in("bob")) as socket:
        message(socket)
        tell(box, "task.changed", 1, project_id=project_id)
        box.join(bob, project_id, "annotator")
        until(socket, "member.changed")
        tell(box, "task.changed", 2, project_id=project_id)
        assert until(socket, "task.changed")[-1]["data"]["number"] == 2
        box.appliance.store.write(lambda tx: members.remove(tx, project_id, bob.id))
        tell(box, "task.changed", 3, project_id=project_id)
        tell(box, "own", 4, user_id=bob.id)
        seen = [m["data"].get("number") for m in until(socket, "own")]
        assert 3 not in seen


@pytest.mark.parametrize(
    "change", [None, {"disabled": True}, {"role": "operator"}, {"password": "a new and long one"}], ids=str
)
def test_losing_the_session_closes_its_sockets(
    box: Serving, admin: httpx.Client, change: dict[str, Any] | None
) -> None:
    ben = box.person("ben")
    client = box.signed_in("ben")
    with watching(box, client) as socket, watching(box, admin) as other:
        message(socket)
        message(other)
        if change is None:
            client.delete("/api/session")
        else:
            assert admin.patch(f"/api/users/{ben.id}", json=change).status_code == 200
        assert close_code(socket) == 4401
        tell(box, "n", 5)
        assert until(other, "n")[-1]["data"]["number"] == 5, "other people's sockets stay open"


def test_revoking_a_token_closes_its_sockets(box: Serving, admin: httpx.Client) -> None:
    made = admin.post("/api/tokens", json={"name": "t", "scopes": ["read"]}).json()
    stranger = httpx.Client()
    with watching(
        box, stranger, Authorization=f"Bearer {made['secret']}", Origin="http://elsewhere.example"
    ) as socket:
        message(socket)
        admin.delete(f"/api/tokens/{made['id']}")
        assert close_code(socket) == 4401


@pytest.mark.parametrize(
    ("headers", "query"),
    [({"Origin": "http://evil.example"}, ""), ({"Host": "evil.example"}, ""), ({}, "?after=x"), ({}, "?x=1"),
     ({"Sec-Fetch-Site": "cross-site"}, "")],
)  # fmt: skip
def test_a_handshake_that_does_not_fit_is_refused(
    box: Serving, admin: httpx.Client, headers: dict[str, str], query: str
) -> None:
    with pytest.raises(InvalidStatus) as refused, watching(box, admin, query, **headers):
        pass
    assert refused.value.response.status_code == 403


def test_a_socket_needs_a_session_and_an_origin(box: Serving, admin: httpx.Client) -> None:
    with pytest.raises(InvalidStatus), watching(box, httpx.Client()):
        pass
    cookie = {"Cookie": f"pixelqueue_session={admin.cookies['pixelqueue_session']}"}
    with (
        pytest.raises(InvalidStatus),
        connect(box.url.replace("http", "ws") + "/api/events", additional_headers=cookie),
    ):
        pass


@pytest.mark.parametrize(("sent", "code"), [("x" * 5000, 1009), (b"bytes", 1003)])
def test_messages_from_the_client_are_capped(box: Serving, admin: httpx.Client, sent: str | bytes, code: int) -> None:
    with watching(box, admin) as socket:
        message(socket)
        socket.send("short ones are fine")
        socket.send(sent)
        assert close_code(socket) == code


def test_a_slow_watcher_loses_its_place_and_not_the_servers_memory() -> None:
    feed = hub.Feed()
    item = hub.told(Event(seq=1, kind="n", project_id=None, user_id=None, data={}, at_ms=0))
    for _ in range(hub._LONGEST):
        feed.put([item])
    assert not feed.lost
    feed.put([item])
    assert feed.lost
    assert feed.take() == []
    feed.put([item])
    assert feed.take() == [item]


def test_sockets_that_go_away_are_forgotten(box: Serving, admin: httpx.Client) -> None:
    for _ in range(3):
        with watching(box, admin) as socket:
            message(socket)
    with watching(box, admin) as socket:
        message(socket)
        # The answer comes through the same loop that has noticed the closed ones by then.
        for _ in range(200):
            if admin.get("/api/system").json()["open_sockets"] == 1:
                break
        assert admin.get("/api/system").json()["open_sockets"] == 1
