"""Making one's own account: the door, invitations, registering."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.errors import Forbidden, NotFound
from appliance.records import GlobalRole, Invitation, ProjectRole, User
from appliance.settings import Door
from appliance.store import Reading, Transaction, invitations, limits, projects, registration, setup, users
from appliance.web import signing
from appliance.web.operations import Call, Listing, Operations
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body, Id
from appliance.web.signing import Email, PersonName, Secret, Session

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("registration", "Who may make an account, and by which invitation")

_CLOSED = "this box makes no accounts by itself: ask its administrator for one"
_BY_INVITATION = "this box makes accounts by invitation only: ask its administrator for one"
_Link = Annotated[str, Meta(max_length=100)]


class Registration(Body):
    registration: Door


class Register(Body):
    email: Email
    name: PersonName
    password: Secret
    invitation: _Link | None = None


class NewInvitation(Body):
    """`note` says for whom; a project and a role in it belong together."""

    note: Annotated[str, Meta(max_length=200)] = ""
    role: GlobalRole = "member"
    project_id: Id | None = None
    project_role: ProjectRole | None = None
    valid_s: Annotated[int, Meta(ge=600, le=30 * 24 * 3600)] = 7 * 24 * 3600


class InvitationWithSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The only answer that ever holds the secret; `path` is the link's, to be put after the box's address."""

    invitation: Invitation
    secret: str
    path: str


class Open(Body):
    secret: _Link


class Offer(Body):
    """What an invitation is to: a role on the box and, by name, a project."""

    role: GlobalRole
    project: str | None
    project_role: ProjectRole | None
    expires_at_ms: int


@OPERATIONS.get(
    "/api/registration",
    permission=Permission.PUBLIC,
    response=Registration,
    summary="Tell whether anybody, the invited or nobody may make an account",
)
async def get_registration(call: Call) -> Registration:
    return Registration(registration=await signing.door(call))


@OPERATIONS.put(
    "/api/registration",
    permission=Permission.ADMIN,
    body=Registration,
    response=Registration,
    audit="registration.change",
    session_only=True,
    summary="Let anybody, the invited or nobody make an account",
)
async def put_registration(call: Call) -> Registration:
    body: Registration = call.body
    await call.store.awrite(lambda tx: registration.set_door(tx, body.registration))
    return body


@OPERATIONS.post(
    "/api/register",
    permission=Permission.PUBLIC,
    body=Register,
    response=Session,
    status=201,
    audit="user.create",
    summary="Make an account, where the box allows it or an invitation does",
)
async def register(call: Call) -> Session:
    body: Register = call.body
    await _require_open(call, body.invitation)
    await signing.attempt(call)
    if body.invitation is not None:
        await _offered(call, body.invitation)
    hashed = await signing.hashed(call, body.password, body.email, body.name)

    def make(tx: Transaction) -> User:
        link = body.invitation
        role = invitations.offered(tx, link, tx.now_ms).role if link is not None else "member"
        user = users.create(tx, email=body.email, name=body.name, role=role, password_hash=hashed)
        if link is not None:
            invitations.use(tx, link, user.id)
            limits.forgive(tx, limits.ADDRESS, call.request.remote_addr)
        return user

    return await signing.signed_in(call, make)


@OPERATIONS.post(
    "/api/invitation",
    permission=Permission.PUBLIC,
    body=Open,
    response=Offer,
    unaudited="it looks at an invitation and changes nothing but the count of tries",
    summary="Tell what an invitation is to",
)
async def open_invitation(call: Call) -> Offer:
    secret = call.body.secret
    await _require_open(call, secret)
    await signing.attempt(call)
    found = await _offered(call, secret)
    await call.store.awrite(lambda tx: limits.forgive(tx, limits.ADDRESS, call.request.remote_addr))
    name = await call.store.aread(lambda reading: _project_name(reading, found.project_id))
    return Offer(role=found.role, project=name, project_role=found.project_role, expires_at_ms=found.expires_at_ms)


@OPERATIONS.get(
    "/api/invitations",
    permission=Permission.ADMIN,
    response=Listing[Invitation],
    summary="List the invitations, newest first, without their secrets",
)
async def list_invitations(call: Call) -> Listing[Invitation]:
    return Listing(items=await call.store.aread(invitations.listed))


@OPERATIONS.post(
    "/api/invitations",
    permission=Permission.ADMIN,
    body=NewInvitation,
    response=InvitationWithSecret,
    status=201,
    audit="invitation.create",
    session_only=True,
    summary="Invite somebody; the link is shown this once",
)
async def create_invitation(call: Call) -> InvitationWithSecret:
    body: NewInvitation = call.body
    user_id = call.user.id
    made, secret = await call.store.awrite(
        lambda tx: invitations.create(tx, **msgspec.structs.asdict(body), created_by=user_id)
    )
    return InvitationWithSecret(invitation=made, secret=secret, path=f"/register#{secret}")


@OPERATIONS.delete(
    "/api/invitations/{invitation_id}",
    permission=Permission.ADMIN,
    audit="invitation.revoke",
    session_only=True,
    summary="Revoke an invitation",
)
async def revoke_invitation(call: Call) -> None:
    invitation_id = call.ids["invitation_id"]
    await call.store.awrite(lambda tx: invitations.revoke(tx, invitation_id))


async def _require_open(call: Call, link: str | None) -> None:
    """Refuse who may make no account at present.

    Raises:
        Forbidden: Nobody may, or only the invited.
    """
    stands = await signing.door(call)
    if stands == "closed" or await call.store.aread(setup.needed):
        raise Forbidden(_CLOSED)
    if stands == "invite" and link is None:
        raise Forbidden(_BY_INVITATION)


async def _offered(call: Call, secret: str) -> Invitation:
    now_ms = call.store.clock.now_ms()
    return await call.store.aread(lambda reading: invitations.offered(reading, secret, now_ms))


def _project_name(reading: Reading, project_id: int | None) -> str | None:
    try:
        return None if project_id is None else projects.get(reading, project_id).name
    except NotFound:
        return None
