"""Signing in, whatever proves who it is: counted tries, checked passwords, sessions and their cookies."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

import appliance
from appliance.records import Record, User
from appliance.settings import Door
from appliance.store import Transaction, limits, passwords, registration, sessions, setup
from appliance.web import auth
from appliance.web.logs import one_line
from appliance.web.operations import Call
from appliance.web.permissions import Permission, allows

__all__ = [
    "Box", "Email", "PersonName", "Secret", "Session", "address_of", "attempt", "door", "hashed", "session_of",
    "signed_in",
]  # fmt: skip

# Longer than any password, so that the rule and not the parser answers; short enough to hash.
Secret = Annotated[str, Meta(max_length=1024)]
Email = Annotated[str, Meta(max_length=320)]
PersonName = Annotated[str, Meta(max_length=200)]


class Box(Record, frozen=True):
    """What the header shows of the box. `id` stays when its address or name changes."""

    id: str
    name: str
    version: str
    demo: bool
    registration: Door


class Permissions(Record, frozen=True):
    """What the user may do anywhere; what they may do in a project is their role there."""

    create_project: bool
    administer: bool
    operate: bool


class Session(Record, frozen=True):
    user: User
    box: Box
    permissions: Permissions


def address_of(call: Call) -> str:
    """Return the address a call comes from, fit for a line of a log."""
    return one_line(call.request.remote_addr)


async def door(call: Call) -> Door:
    """Return who may make an account at present."""
    default = call.settings.registration
    return await call.store.aread(lambda reading: registration.door(reading, default))


async def attempt(call: Call, email: str | None = None) -> None:
    """Count a guess against the address, and the account where there is one, before it is judged.

    Raises:
        TooManyRequests: It comes too early.
    """
    address = call.request.remote_addr

    def count(tx: Transaction) -> None:
        limits.attempt(tx, limits.ADDRESS, address)
        if email is not None:
            limits.attempt(tx, limits.ACCOUNT, email)

    await call.store.awrite(count)


async def hashed(call: Call, password: str, email: str, name: str) -> str:
    """Check a new password and hash it.

    Raises:
        InvalidInput: It breaks a rule.
    """
    passwords.check(password, email=email, name=name)
    return await asyncio.wrap_future(call.services.passwords.hash(password))


async def signed_in(call: Call, prove: Callable[[Transaction], User]) -> Session:
    """Open a session for the user `prove` returns, in the same transaction, and hand out its cookie."""
    address, agent = call.request.remote_addr, one_line(call.request.get_header("User-Agent") or "", 200)

    def start(tx: Transaction) -> tuple[User, str]:
        user = prove(tx)
        tx.user_id = user.id
        if call.principal and call.principal.session_id is not None:
            sessions.end(tx, call.principal.session_id)
        tx.audit("session.start", f"user {user.id}", address=one_line(address))
        return user, sessions.start(tx, user.id, address=address, agent=agent)

    user, secret = await call.store.awrite(start)
    assert call.response is not None
    secure = call.request.scheme == "https"
    auth.set_cookie(call.response, secret, secure=secure, max_age_s=call.settings.session_max_s)
    return await session_of(call, user)


async def session_of(call: Call, user: User) -> Session:
    """Return what a page needs to know of who is signed in, and to what."""
    box = Box(
        id=await call.store.aread(setup.box_id),
        name=socket.gethostname(),
        version=appliance.__version__,
        demo=await call.store.aread(setup.is_demo),
        registration=await door(call),
    )
    rights = Permissions(
        create_project=allows(user, Permission.CREATE_PROJECT),
        administer=allows(user, Permission.ADMIN),
        operate=allows(user, Permission.OPERATE),
    )
    return Session(user=user, box=box, permissions=rights)
