"""Setting the box up, signing in and out, and one's own password."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

import appliance
from appliance.errors import Forbidden, InvalidInput, NotSignedIn
from appliance.records import User
from appliance.store import Transaction, limits, passwords, sessions, setup, users
from appliance.web import auth
from appliance.web.logs import one_line
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission, allows

__all__ = ["OPERATIONS", "Box", "Permissions", "Session"]

OPERATIONS = Operations("account", "Setting up, signing in, one's own account")

# Longer than any password, so that the rule and not the parser answers; short enough to hash.
Secret = Annotated[str, Meta(max_length=1024)]
Email = Annotated[str, Meta(max_length=320)]
PersonName = Annotated[str, Meta(max_length=200)]
_WRONG = "the e-mail address or the password is wrong"


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the bodies here."""


class SetupState(_Body):
    needed: bool


class SetUp(_Body):
    code: Annotated[str, Meta(max_length=100)]
    email: Email
    name: PersonName
    password: Secret


class Register(_Body):
    email: Email
    name: PersonName
    password: Secret


class SignIn(_Body):
    email: Email
    password: Secret


class ChangePassword(_Body):
    old: Secret
    new: Secret
    end_other_sessions: bool = True


class Box(_Body):
    """What the header shows of the box. `id` stays when its address or name changes."""

    id: str
    name: str
    version: str
    demo: bool
    registration: str


class Permissions(_Body):
    """What the user may do anywhere; what they may do in a project is their role there."""

    create_project: bool
    administer: bool
    operate: bool


class Session(_Body):
    user: User
    box: Box
    permissions: Permissions


@OPERATIONS.get(
    "/api/setup", permission=Permission.PUBLIC, response=SetupState, summary="Tell whether the box is to be set up"
)
async def get_setup(call: Call) -> SetupState:
    return SetupState(needed=await call.store.aread(setup.needed))


@OPERATIONS.post(
    "/api/setup",
    permission=Permission.PUBLIC,
    body=SetUp,
    response=Session,
    status=201,
    audit="setup.claim",
    summary="Set the box up with the code on its console",
)
async def set_up(call: Call) -> Session:
    body: SetUp = call.body
    address, now_ms = call.request.remote_addr, call.store.clock.now_ms()
    await call.store.awrite(lambda tx: limits.attempt(tx, limits.SETUP, address))
    await call.store.aread(lambda reading: setup.verify(reading, body.code, now_ms))
    hashed = await _hashed(call, body.password, body.email, body.name)

    def claim(tx: Transaction) -> User:
        setup.claim(tx, body.code)
        user = users.create(tx, email=body.email, name=body.name, role="admin", password_hash=hashed)
        tx.audit("setup.claim", f"user {user.id}")
        limits.succeed(tx, limits.SETUP, address)
        return user

    return await _signed_in(call, claim)


@OPERATIONS.post(
    "/api/register",
    permission=Permission.PUBLIC,
    body=Register,
    response=Session,
    status=201,
    audit="user.create",
    summary="Make an account, where the box allows it",
)
async def register(call: Call) -> Session:
    body: Register = call.body
    if call.settings.registration != "open" or await call.store.aread(setup.needed):
        raise Forbidden("this box makes no accounts by itself: ask its administrator for one")
    address = call.request.remote_addr
    await call.store.awrite(lambda tx: limits.attempt(tx, limits.ADDRESS, address))
    hashed = await _hashed(call, body.password, body.email, body.name)
    return await _signed_in(
        call,
        lambda tx: users.create(tx, email=body.email, name=body.name, role="member", password_hash=hashed),
    )


@OPERATIONS.post(
    "/api/session",
    permission=Permission.PUBLIC,
    body=SignIn,
    response=Session,
    status=201,
    audit="session.start",
    summary="Sign in",
)
async def sign_in(call: Call) -> Session:
    body: SignIn = call.body
    address = call.request.remote_addr
    await _attempt(call, body.email, address)
    found = await call.store.aread(lambda reading: users.credentials(reading, body.email))
    matches = await asyncio.wrap_future(call.services.passwords.verify(found and found[1], body.password))
    if found is None or not matches or found[0].disabled:
        subject = f"user {found[0].id}" if found else "nobody"
        await call.store.awrite(lambda tx: tx.audit("session.refuse", subject, address=one_line(address)))
        raise NotSignedIn(_WRONG)
    user, known = found
    fresh = None
    if call.services.passwords.outdated(known):
        fresh = await asyncio.wrap_future(call.services.passwords.hash(body.password))

    def settle(tx: Transaction) -> User:
        present = users.credentials(tx, body.email)
        if present is None or present[0].disabled or present[1] != known:
            raise NotSignedIn(_WRONG)  # changed while the password was being verified
        if fresh is not None:
            users.set_password(tx, user.id, fresh)
        limits.succeed(tx, limits.ACCOUNT, body.email)
        limits.forgive(tx, limits.ADDRESS, address)
        return present[0]

    return await _signed_in(call, settle)


@OPERATIONS.get(
    "/api/session", permission=Permission.SIGNED_IN, response=Session, summary="Tell who is signed in, and what to"
)
async def get_session(call: Call) -> Session:
    return await _session(call, call.user)


@OPERATIONS.delete("/api/session", permission=Permission.SIGNED_IN, audit="session.end", summary="Sign out")
async def sign_out(call: Call) -> None:
    assert call.principal is not None
    session_id = call.principal.session_id
    if session_id is None:
        raise InvalidInput("a token does not sign out: revoke it instead")

    def end(tx: Transaction) -> None:
        sessions.end(tx, session_id)
        tx.audit("session.end", f"session {session_id}")

    await call.store.awrite(end)
    assert call.response is not None
    auth.forget_cookie(call.response, secure=call.request.scheme == "https")


@OPERATIONS.post(
    "/api/password",
    permission=Permission.SIGNED_IN,
    body=ChangePassword,
    audit="password.change",
    session_only=True,
    summary="Change one's own password",
)
async def change_password(call: Call) -> None:
    body: ChangePassword = call.body
    user, address = call.user, call.request.remote_addr
    assert call.principal is not None
    session_id = call.principal.session_id
    await _attempt(call, user.email, address)
    known = await call.store.aread(lambda reading: users.password_hash(reading, user.id))
    if not await asyncio.wrap_future(call.services.passwords.verify(known, body.old)):
        raise InvalidInput("this is not the present password", field="old")
    try:
        hashed = await _hashed(call, body.new, user.email, user.name)
    except InvalidInput as error:
        raise InvalidInput(error.message, field="new") from error

    def change(tx: Transaction) -> None:
        if users.password_hash(tx, user.id) != known:
            raise InvalidInput("this is not the present password", field="old")
        users.set_password(tx, user.id, hashed)
        limits.succeed(tx, limits.ACCOUNT, user.email)
        limits.forgive(tx, limits.ADDRESS, address)
        ended = sessions.end_of_user(tx, user.id, but=session_id) if body.end_other_sessions else 0
        tx.audit("password.change", f"user {user.id}", ended_sessions=ended)

    await call.store.awrite(change)


async def _attempt(call: Call, email: str, address: str) -> None:
    """Count a guess against the account and the address, before it is judged."""

    def count(tx: Transaction) -> None:
        limits.attempt(tx, limits.ADDRESS, address)
        limits.attempt(tx, limits.ACCOUNT, email)

    await call.store.awrite(count)


async def _hashed(call: Call, password: str, email: str, name: str) -> str:
    """Check a new password and hash it."""
    passwords.check(password, email=email, name=name)
    return await asyncio.wrap_future(call.services.passwords.hash(password))


async def _signed_in(call: Call, prove: Callable[[Transaction], User]) -> Session:
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
    return await _session(call, user)


async def _session(call: Call, user: User) -> Session:
    box = Box(
        id=await call.store.aread(setup.box_id),
        name=socket.gethostname(),
        version=appliance.__version__,
        demo=await call.store.aread(setup.is_demo),
        registration=call.settings.registration,
    )
    rights = Permissions(
        create_project=allows(user, Permission.CREATE_PROJECT),
        administer=allows(user, Permission.ADMIN),
        operate=allows(user, Permission.OPERATE),
    )
    return Session(user=user, box=box, permissions=rights)
