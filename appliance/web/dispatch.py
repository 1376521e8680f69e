"""From an operation to a Falcon responder: identify, allow, validate, run, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import falcon.asgi
import msgspec

from appliance.errors import Forbidden
from appliance.store import actor
from appliance.web import auth
from appliance.web.files import File, Page, send
from appliance.web.operations import Call, Operation, Services, least
from appliance.web.permissions import Access, Permission, decide
from appliance.web.requests import json_body, parse_query
from appliance.web.tables import Download

__all__ = ["Dispatcher", "falcon_path"]

Responder = Callable[..., Awaitable[None]]
_BIGGEST_ID = 2**63 - 1
_encoder = msgspec.json.Encoder()


def falcon_path(operation: Operation) -> str:
    """Return the path as Falcon writes it: what is no number, or no id where it shall be one, finds nothing."""
    path = operation.path
    for name in operation.parameters:
        path = path.replace(f"{{{name}}}", f"{{{name}:int(min={least(name)}, max={_BIGGEST_ID})}}")
    return path


class Dispatcher:
    """Make responders for operations.

    Args:
        services: What handlers work with.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._last_use = auth.LastUse(services.store)

    def responder(self, operation: Operation) -> Responder:
        """Return the coroutine Falcon calls for an HTTP operation."""

        async def respond(request: falcon.asgi.Request, response: falcon.asgi.Response, **ids: int) -> None:
            response.set_headers(operation.headers)
            call = await self._call(operation, request, ids)
            call.response = response
            if operation.body is not None:
                call.body = await json_body(request, operation.body, call.settings.max_json_bytes)
            token = actor.set(call.principal.user.id if call.principal else None)
            try:
                result = await operation.handler(call)
            finally:
                actor.reset(token)
            await _answer(operation, call, result, request, response)

        return respond

    def socket(self, operation: Operation) -> Responder:
        """Return the coroutine Falcon calls for a WebSocket operation."""

        async def respond(request: falcon.asgi.Request, socket: falcon.asgi.WebSocket, **ids: int) -> None:
            await operation.handler(await self._call(operation, request, ids), socket)

        return respond

    async def _call(self, operation: Operation, request: falcon.asgi.Request, ids: dict[str, int]) -> Call:
        given = auth.credentials(request)
        if operation.changes_state or operation.method == "WS":
            auth.refuse_cross_site(request, given, strict=operation.method == "WS")
        access = self._access(operation, given, ids)
        if access.principal:
            if operation.permission is not Permission.PUBLIC:
                auth.refuse_other_user(request, access.principal)
            request.context.user_id = access.principal.user.id
            self._last_use.note(access.principal)
        return Call(
            services=self._services,
            request=request,
            ids=ids,
            query=parse_query(request.query_string, operation.query),
            principal=access.principal,
            role=access.role,
        )

    def _access(self, operation: Operation, given: auth.Credentials, ids: dict[str, int]) -> Access:
        store = self._services.store
        if operation.permission is Permission.PUBLIC and given == auth.Credentials():
            return Access(principal=None)
        project_id = ids.get("project_id")

        def look_up(reading: Any) -> Access:
            principal = auth.identify(reading, store, given)
            return decide(reading, operation.permission, operation.method, principal, project_id)

        access = store.glance(look_up)
        if operation.session_only and access.principal and access.principal.token_id is not None:
            raise Forbidden("a token cannot do this: sign in with a password")
        return access


async def _answer(
    operation: Operation,
    call: Call,
    result: Any,
    request: falcon.asgi.Request,
    response: falcon.asgi.Response,
) -> None:
    response.status = call.status or operation.status
    response.set_header("Cache-Control", "no-store")
    for name, value in call.headers.items():
        response.set_header(name, value)
    if isinstance(result, File):
        await send(result, request, response)
    elif isinstance(result, Page):
        response.content_type, response.data = result.media_type, result.body
    elif isinstance(result, Download):
        response.content_type = result.media_type
        response.set_header("Content-Disposition", f'attachment; filename="{result.name}"')
        response.stream = result.chunks
    elif result is None:
        response.status = call.status or 204
    else:
        response.content_type = "application/json"
        response.data = _encoder.encode(result)
