"""Where one is signed in, and signing out there."""

from __future__ import annotations

import msgspec

from appliance.store import Transaction, sessions
from appliance.web.operations import Call, Listing, Operations
from appliance.web.permissions import Permission

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("sessions", "Where one is signed in")


class SignedInPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One's own sessions; `current` is the one that asks."""

    id: int
    created_at_ms: int
    seen_at_ms: int
    address: str
    agent: str
    current: bool


@OPERATIONS.get(
    "/api/sessions",
    permission=Permission.SIGNED_IN,
    response=Listing[SignedInPlace],
    summary="List where one is signed in",
)
async def list_sessions(call: Call) -> Listing[SignedInPlace]:
    user_id, own = call.user.id, _own(call)
    places = await call.store.aread(lambda reading: sessions.of_user(reading, user_id))
    return Listing(items=[SignedInPlace(**msgspec.structs.asdict(p), current=p.id == own) for p in places])


@OPERATIONS.delete(
    "/api/sessions",
    permission=Permission.SIGNED_IN,
    audit="session.end",
    session_only=True,
    summary="Sign out everywhere else",
)
async def end_other_sessions(call: Call) -> None:
    user_id, own = call.user.id, _own(call)

    def end(tx: Transaction) -> None:
        ended = sessions.end_of_user(tx, user_id, but=own)
        tx.audit("session.end", f"user {user_id}", ended_sessions=ended)

    await call.store.awrite(end)


@OPERATIONS.delete(
    "/api/sessions/{session_id}",
    permission=Permission.SIGNED_IN,
    audit="session.end",
    session_only=True,
    summary="Sign out in one place",
)
async def end_session(call: Call) -> None:
    user_id, session_id = call.user.id, call.ids["session_id"]
    await call.store.awrite(lambda tx: sessions.end_own(tx, user_id, session_id))


def _own(call: Call) -> int | None:
    return call.principal.session_id if call.principal else None
