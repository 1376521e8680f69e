"""Who works in a project, and as what."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from appliance.errors import InvalidInput
from appliance.records import Member, ProjectRole
from appliance.store import Reading, Transaction, members, users
from appliance.web.operations import Call, Listing, Operations
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("members", "Who works in a project, and as what")


class Membership(Body):
    role: ProjectRole


class Invitation(Body):
    """Somebody who has an account, by e-mail address."""

    email: Annotated[str, Meta(max_length=320)]
    role: ProjectRole


@OPERATIONS.get(
    "/api/projects/{project_id}/members",
    permission=Permission.PROJECT_READ,
    response=Listing[Member],
    summary="List the members",
)
async def list_members(call: Call) -> Listing[Member]:
    project_id = call.project_id
    return Listing(items=await call.store.aread(lambda reading: members.listed(reading, project_id)))


@OPERATIONS.put(
    "/api/projects/{project_id}/members",
    permission=Permission.PROJECT_ADMIN,
    body=Invitation,
    response=Member,
    audit="member.put",
    summary="Make somebody a member by e-mail address, or change their role",
)
async def invite_member(call: Call) -> Member:
    body: Invitation = call.body
    project_id = call.project_id

    def put(tx: Transaction) -> Member:
        found = users.credentials(tx, body.email)
        if found is None:
            raise InvalidInput("nobody here has this e-mail address: ask an administrator to add them", field="email")
        members.put(tx, project_id, found[0].id, body.role)
        return _one(tx, project_id, found[0].id)

    return await call.store.awrite(put)


@OPERATIONS.put(
    "/api/projects/{project_id}/members/{user_id}",
    permission=Permission.PROJECT_ADMIN,
    body=Membership,
    response=Member,
    audit="member.put",
    summary="Make a user a member, or change their role",
)
async def put_member(call: Call) -> Member:
    project_id, user_id, role = call.project_id, call.ids["user_id"], call.body.role

    def put(tx: Transaction) -> Member:
        members.put(tx, project_id, user_id, role)
        return _one(tx, project_id, user_id)

    return await call.store.awrite(put)


@OPERATIONS.delete(
    "/api/projects/{project_id}/members/{user_id}",
    permission=Permission.PROJECT_ADMIN,
    audit="member.remove",
    summary="End a membership",
)
async def remove_member(call: Call) -> None:
    project_id, user_id = call.project_id, call.ids["user_id"]
    await call.store.awrite(lambda tx: members.remove(tx, project_id, user_id))


def _one(reading: Reading, project_id: int, user_id: int) -> Member:
    return next(member for member in members.listed(reading, project_id) if member.user_id == user_id)
