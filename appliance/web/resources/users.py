"""The people of the box, for its administrators."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.errors import InvalidInput
from appliance.records import GlobalRole, User
from appliance.store import Transaction, limits, passwords, resets, users
from appliance.web.operations import Call, Listing, Operations, Paged, listing
from appliance.web.permissions import Permission

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("users", "The people of the box")


class NewUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=320)]
    name: Annotated[str, Meta(max_length=200)]
    password: Annotated[str, Meta(max_length=1024)]
    role: GlobalRole = "member"


class UserChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays. A set password, a role or a disabling ends the user's sessions."""

    name: Annotated[str, Meta(max_length=200)] | None = None
    role: GlobalRole | None = None
    disabled: bool | None = None
    password: Annotated[str, Meta(max_length=1024)] | None = None


class ResetCode(msgspec.Struct, frozen=True, kw_only=True):
    """The only answer that ever holds the code."""

    code: str
    expires_at_ms: int


@OPERATIONS.get(
    "/api/users", permission=Permission.ADMIN, query=Paged, response=Listing[User], summary="List the users"
)
async def list_users(call: Call) -> Listing[User]:
    page: Paged = call.query
    return listing(await call.store.aread(lambda r: users.listed(r, after=page.after, limit=page.limit)))


@OPERATIONS.post(
    "/api/users",
    permission=Permission.ADMIN,
    body=NewUser,
    response=User,
    status=201,
    audit="user.create",
    session_only=True,
    summary="Add a user",
)
async def create_user(call: Call) -> User:
    body: NewUser = call.body
    passwords.check(body.password, email=body.email, name=body.name)
    hashed = await asyncio.wrap_future(call.services.passwords.hash(body.password))
    return await call.store.awrite(
        lambda tx: users.create(tx, email=body.email, name=body.name, role=body.role, password_hash=hashed)
    )


@OPERATIONS.patch(
    "/api/users/{user_id}",
    permission=Permission.ADMIN,
    body=UserChange,
    response=User,
    audit="user.change",
    session_only=True,
    summary="Change a user",
)
async def change_user(call: Call) -> User:
    body: UserChange = call.body
    user_id = call.ids["user_id"]
    if body == UserChange():
        raise InvalidInput("nothing to change: give name, role, disabled or password")
    if body.password is not None:
        _refuse_own(call, "password")
    before = await call.store.aread(lambda reading: users.get(reading, user_id))
    hashed = None
    if body.password is not None:
        passwords.check(body.password, email=before.email, name=before.name)
        hashed = await asyncio.wrap_future(call.services.passwords.hash(body.password))

    def change(tx: Transaction) -> User:
        if hashed is not None:
            limits.succeed(tx, limits.ACCOUNT, before.email)
        return users.change(tx, user_id, name=body.name, role=body.role, disabled=body.disabled, password_hash=hashed)

    return await call.store.awrite(change)


@OPERATIONS.post(
    "/api/users/{user_id}/reset",
    permission=Permission.ADMIN,
    response=ResetCode,
    status=201,
    audit="user.reset",
    session_only=True,
    summary="Make a one-time code with which a user sets a forgotten password",
)
async def create_reset_code(call: Call) -> ResetCode:
    """The code works once, for an hour; the one before works no more."""
    user_id = call.ids["user_id"]
    _refuse_own(call, "user_id")

    def issue(tx: Transaction) -> ResetCode:
        return ResetCode(code=resets.issue(tx, user_id), expires_at_ms=tx.now_ms + resets.VALID_S * 1000)

    return await call.store.awrite(issue)


def _refuse_own(call: Call, field: str) -> None:
    """Keep a borrowed session from setting a password without the present one.

    Raises:
        InvalidInput: It is the caller's own account.
    """
    if call.ids["user_id"] == call.user.id:
        raise InvalidInput("change your own password on the page Account, with the present one", field=field)
