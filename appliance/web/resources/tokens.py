"""Personal API tokens."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.records import Name, Token
from appliance.store import tokens
from appliance.store.tokens import Scope
from appliance.web.operations import Call, Listing, Operations
from appliance.web.permissions import Permission

__all__ = ["OPERATIONS"]

OPERATIONS = Operations(
    "tokens", "Personal API tokens. Scopes: read (look), write (change), admin (what administrators may do)"
)


class NewToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """It expires after `valid_s` seconds; without them it works until it is revoked."""

    name: Name
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=3)]
    valid_s: Annotated[int, Meta(ge=60, le=10 * 366 * 24 * 3600)] | None = None


class TokenWithSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The only answer that ever holds the secret."""

    id: int
    user_id: int
    name: str
    scopes: list[str]
    created_at_ms: int
    secret: str
    expires_at_ms: int | None = None
    last_used_at_ms: int | None = None


@OPERATIONS.get(
    "/api/tokens", permission=Permission.SIGNED_IN, response=Listing[Token], summary="List one's own tokens"
)
async def list_tokens(call: Call) -> Listing[Token]:
    user = call.user
    return Listing(items=await call.store.aread(lambda reading: tokens.of_user(reading, user.id)))


@OPERATIONS.post(
    "/api/tokens",
    permission=Permission.SIGNED_IN,
    body=NewToken,
    response=TokenWithSecret,
    status=201,
    audit="token.create",
    session_only=True,
    summary="Make a token; its secret is shown this once",
)
async def create_token(call: Call) -> TokenWithSecret:
    body, user = call.body, call.user
    token, secret = await call.store.awrite(
        lambda tx: tokens.create(tx, user.id, name=body.name, scopes=body.scopes, valid_s=body.valid_s)
    )
    return TokenWithSecret(secret=secret, **msgspec.structs.asdict(token))


@OPERATIONS.delete(
    "/api/tokens/{token_id}",
    permission=Permission.SIGNED_IN,
    audit="token.revoke",
    summary="Revoke one of one's own tokens",
)
async def revoke_token(call: Call) -> None:
    user, token_id = call.user, call.ids["token_id"]
    await call.store.awrite(lambda tx: tokens.revoke(tx, user.id, token_id))
