"""The events as they happen, over a WebSocket that resumes without a gap.

The feed is opened before the backlog is read, and what both have is sent once: by sequence
number. What a session may see is asked again whenever its rights may have changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated

import falcon
import falcon.asgi
import msgspec
from msgspec import Meta

from appliance.records import Event
from appliance.store import events, members
from appliance.web import auth
from appliance.web.hub import Feed, Told, told
from appliance.web.operations import Call, Operations, Query
from appliance.web.permissions import Permission, Principal

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("events", "What happens, as it happens")

_PAGE = 500
_LONGEST_MESSAGE = 4096
_RECHECK_S = 60.0
_SLOWEST_SEND_S = 30.0
_ENDED, _RESTARTING, _TOO_SLOW, _TOO_BIG = 4401, 1012, 4408, 1009
# What an operator, who is no member, is told of projects: no pictures, no people.
_FOR_OPERATORS = frozenset({"project.changed", "snapshot.made", "export.made", "job.changed"})


class After(Query, frozen=True):
    """`after` is the last sequence number the client has seen; without it only news come.

    With `together` events that wait at the same time come in one message, as a list.
    """

    after: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    together: bool = False


@OPERATIONS.socket(
    "/api/events", permission=Permission.SIGNED_IN, query=After, summary="Watch what happens in one's projects"
)
async def watch_events(call: Call, socket: falcon.asgi.WebSocket) -> None:
    await socket.accept()
    services = call.services
    feed = services.hub.open()
    listening = asyncio.create_task(_listen(socket, feed))
    try:
        with services.live.one(feed.wake):
            await _Watcher(call, socket, feed).run(listening)
    except (falcon.WebSocketDisconnected, _Closed):
        pass
    finally:
        services.hub.close(feed)
        listening.cancel()


class _Closed(Exception):
    """The socket was closed from here."""


async def _listen(socket: falcon.asgi.WebSocket, feed: Feed) -> int:
    """Read what the client sends, which means nothing, until it goes or breaks a rule.

    Returns:
        The code to close with.
    """
    try:
        while len(await socket.receive_text()) <= _LONGEST_MESSAGE:
            pass
        return _TOO_BIG
    except falcon.PayloadTypeError:
        return 1003
    except falcon.WebSocketDisconnected:
        return 0
    finally:
        feed.wake.set()


class _Watcher:
    """One open socket: who it is, what it may see, what it has been sent."""

    def __init__(self, call: Call, socket: falcon.asgi.WebSocket, feed: Feed) -> None:
        self._call = call
        self._store = call.store
        self._socket = socket
        self._feed = feed
        self._given = auth.credentials(call.request)
        assert call.principal is not None
        self._principal: Principal = call.principal
        self._projects: set[int] = set()
        self._seq = 0

    async def run(self, listening: asyncio.Task[int]) -> None:
        await self._recheck()
        await self._catch_up(self._call.query.after)
        while True:
            try:
                async with asyncio.timeout(_RECHECK_S):
                    await self._feed.wake.wait()
            except TimeoutError:
                await self._recheck()
                continue
            self._feed.wake.clear()
            if self._call.services.live.leaves(self._feed.wake):
                await self._close(_RESTARTING)
            if listening.done():
                await self._close(listening.result())
            await self._pass_on()

    async def _catch_up(self, after: int | None) -> None:
        """Greet, then send what lies between `after` and now."""
        latest = await self._store.aread(events.latest)
        await self._send({"kind": "hello", "seq": latest})
        self._seq = latest if after is None else after
        await self._replay()

    async def _replay(self) -> None:
        """Send what the log has after the last event sent, page by page, as fast as the client takes it."""
        while True:
            latest, oldest, page = await self._store.aread(
                lambda r: (events.latest(r), events.oldest(r), events.since(r, self._seq, _PAGE))
            )
            if self._seq > latest or self._seq < oldest - 1:
                await self._send({"kind": "resync", "seq": latest})
                self._seq = latest
                return
            await self._tell(map(told, page))
            if not page:
                return

    async def _pass_on(self) -> None:
        waiting = self._feed.take()
        if self._feed.lost:  # too slow for the feed, but the log still has it
            self._feed.lost = False
            await self._replay()
        await self._tell(waiting)

    async def _tell(self, items: Iterable[Told]) -> None:
        """Send what this session may see of the events that it has not been told of."""
        messages: list[str] = []
        for item in items:
            if item.event.seq <= self._seq:
                continue
            self._seq = item.event.seq
            if self._concerns_rights(item.event):
                await self._send_all(messages)
                messages = []
                await self._recheck()
            if self._sees(item.event):
                messages.append(item.message)
        await self._send_all(messages)

    def _concerns_rights(self, event: Event) -> bool:
        if event.kind in ("session.ended", "user.changed"):
            return event.user_id == self._principal.user.id
        return event.kind == "member.changed" and event.data.get("user_id") == self._principal.user.id

    def _sees(self, event: Event) -> bool:
        user = self._principal.user
        if event.user_id is not None:
            return event.user_id == user.id
        if user.role == "admin":
            return True
        if event.project_id is None:
            return False
        return event.project_id in self._projects or (user.role == "operator" and event.kind in _FOR_OPERATORS)

    async def _recheck(self) -> None:
        """Ask again who this is and what they may see."""

        def look_up(reading: object) -> tuple[Principal | None, set[int]]:
            principal = auth.identify(reading, self._store, self._given)
            return principal, members.projects_of(reading, principal.user.id) if principal else set()

        principal, self._projects = await self._store.aread(look_up)
        if principal is None or (principal.scopes is not None and "read" not in principal.scopes):
            await self._close(_ENDED)
        else:
            self._principal = principal

    async def _send(self, facts: dict[str, object]) -> None:
        await self._send_text(msgspec.json.encode(facts).decode())

    async def _send_all(self, messages: list[str]) -> None:
        """Send messages, as one where the client takes lists: a frame costs more than the events in it."""
        if self._call.query.together and len(messages) > 1:
            messages = [f"[{','.join(messages)}]"]
        for message in messages:
            await self._send_text(message)

    async def _send_text(self, text: str) -> None:
        try:
            async with asyncio.timeout(_SLOWEST_SEND_S):
                await self._socket.send_text(text)
        except TimeoutError:
            await self._close(_TOO_SLOW)

    async def _close(self, code: int) -> None:
        if code:
            await self._socket.close(code)
        raise _Closed
