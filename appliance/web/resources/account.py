"""Setting the box up, signing in and out, and one's own password."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Meta

from appliance.errors import Forbidden, InvalidInput, NotSignedIn
from appliance.records import User
from appliance.store import Transaction, limits, passwords, resets, sessions, setup, users
from appliance.web import auth, signing
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body
from appliance.web.signing import Email, PersonName, Secret, Session

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("account", "Setting up, signing in, one's own account")

_WRONG = "the e-mail address or the password is wrong"


class SetupState(Body):
    needed: bool


class SetUp(Body):
    code: Annotated[str, Meta(max_length=100)]
    email: Email
    name: PersonName
    password: Secret


class SignIn(Body):
    email: Email
    password: Secret


class ChangePassword(Body):
    old: Secret
    new: Secret
    end_other_sessions: bool = True


class Redeem(Body):
    email: Email
    code: Annotated[str, Meta(max_length=100)]
    password: Secret


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
    hashed = await signing.hashed(call, body.password, body.email, body.name)

    def claim(tx: Transaction) -> User:
        setup.claim(tx, body.code)
        user = users.create(tx, email=body.email, name=body.name, role="admin", password_hash=hashed)
        tx.audit("setup.claim", f"user {user.id}")
        limits.succeed(tx, limits.SETUP, address)
        return user

    return await signing.signed_in(call, claim)


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
    await signing.attempt(call, body.email)
    found = await call.store.aread(lambda reading: users.credentials(reading, body.email))
    matches = await asyncio.wrap_future(call.services.passwords.verify(found and found[1], body.password))
    if found is None or not matches or found[0].disabled:
        subject = f"user {found[0].id}" if found else "nobody"
        await call.store.awrite(lambda tx: tx.audit("session.refuse", subject, address=signing.address_of(call)))
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

    return await signing.signed_in(call, settle)


@OPERATIONS.get(
    "/api/session", permission=Permission.SIGNED_IN, response=Session, summary="Tell who is signed in, and what to"
)
async def get_session(call: Call) -> Session:
    return await signing.session_of(call, call.user)


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
    await signing.attempt(call, user.email)
    known = await call.store.aread(lambda reading: users.password_hash(reading, user.id))
    if not await asyncio.wrap_future(call.services.passwords.verify(known, body.old)):
        raise InvalidInput("this is not the present password", field="old")
    try:
        hashed = await signing.hashed(call, body.new, user.email, user.name)
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


@OPERATIONS.post(
    "/api/reset",
    permission=Permission.PUBLIC,
    body=Redeem,
    response=Session,
    status=201,
    audit="password.reset",
    summary="Set a forgotten password with a one-time code, and sign in",
)
async def reset_password(call: Call) -> Session:
    """An unknown account, a wrong and an old code get one answer; five wrong tries use a code up."""
    body: Redeem = call.body
    address = call.request.remote_addr
    await signing.attempt(call, body.email)
    passwords.check(body.password, email=body.email)
    owner = await call.store.awrite(lambda tx: resets.judge(tx, body.email, body.code))
    if owner is None:
        await call.store.awrite(lambda tx: tx.audit("session.refuse", "a code", address=signing.address_of(call)))
        raise Forbidden(resets.WRONG, field="code")
    hashed = await signing.hashed(call, body.password, body.email, owner.name)

    def redeem(tx: Transaction) -> User:
        user = resets.redeem(tx, body.email, body.code, hashed)
        limits.succeed(tx, limits.ACCOUNT, body.email)
        limits.forgive(tx, limits.ADDRESS, address)
        return user

    return await signing.signed_in(call, redeem)
