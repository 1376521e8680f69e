"""The ASGI application: every operation, the user interface's files, errors and middleware."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from functools import partial
from typing import Any

import falcon
import falcon.asgi
from falcon.http_status import HTTPStatus

from appliance.errors import PixelQueueError
from appliance.web import auth, problems
from appliance.web.borders import HostList, SecurityHeaders
from appliance.web.dispatch import Dispatcher, falcon_path
from appliance.web.explanations import Explanations
from appliance.web.logs import AccessLog
from appliance.web.operations import Operation, Services, operations
from appliance.web.static import Static

__all__ = ["build_app", "put_together"]

_log = logging.getLogger(__name__)
_DETAILS = {404: "there is nothing at this address", 405: "this address does not know that method"}
_CODES = {400: "malformed-request", 404: "not-found", 405: "method-not-allowed", 415: "unsupported-media-type",
          421: "misdirected-request"}  # fmt: skip


def build_app(services: Services) -> falcon.asgi.App:
    """Put the application together."""
    app = put_together(services, operations())
    app.add_route("/problems/{code}", Explanations())
    app.add_sink(_no_operation, prefix=re.compile(r"/api(/|$)"))
    files = Static(signed_in=partial(auth.is_signed_in, services.store))
    app.add_sink(files, prefix=re.compile(r"/(?!api(/|$))"))
    return app


def put_together(services: Services, shown: list[Operation]) -> falcon.asgi.App:
    """Put the borders, the errors and these operations together."""
    app = falcon.asgi.App(middleware=[AccessLog(), SecurityHeaders(), HostList(services.settings)])
    app.req_options.strip_url_path_trailing_slash = False
    app.add_error_handler(Exception, _on_fault)
    app.add_error_handler(PixelQueueError, _on_error)
    app.add_error_handler(falcon.HTTPError, _on_refusal)
    _add_routes(app, Dispatcher(services), shown)
    return app


def _add_routes(app: falcon.asgi.App, dispatcher: Dispatcher, shown: list[Operation]) -> None:
    by_path: dict[str, list[Operation]] = defaultdict(list)
    for operation in shown:
        by_path[falcon_path(operation)].append(operation)
    for path, group in by_path.items():
        app.add_route(path, _resource(dispatcher, group))


def _resource(dispatcher: Dispatcher, group: list[Operation]) -> Any:
    """Make the object whose ``on_get``, ``on_post`` … Falcon calls."""
    responders = {}
    for operation in group:
        if operation.method == "WS":
            responders["on_websocket"] = dispatcher.socket(operation)
            continue
        responders[f"on_{operation.method.lower()}"] = dispatcher.responder(operation)
        if operation.method == "GET":
            responders["on_head"] = responders["on_get"]
    resource = type("Resource", (), {})()
    vars(resource).update(responders)
    return resource


async def _no_operation(_request: falcon.asgi.Request, _response: falcon.asgi.Response, **_: Any) -> None:
    raise falcon.HTTPRouteNotFound


async def _on_error(
    request: falcon.asgi.Request,
    response: falcon.asgi.Response | None,
    error: PixelQueueError,
    _params: dict[str, Any],
    ws: falcon.asgi.WebSocket | None = None,
) -> None:
    """Answer with an error from the tree; only what is our fault is logged with its cause."""
    status = problems.status_of(error)
    if status in (500, 503) and response is not None:
        _log.error("%s failed: %s", request.method, error, exc_info=error)
    await _say(response, ws, problems.problem(error), error)


async def _on_refusal(
    _request: falcon.asgi.Request,
    response: falcon.asgi.Response | None,
    error: falcon.HTTPError,
    _params: dict[str, Any],
    ws: falcon.asgi.WebSocket | None = None,
) -> None:
    """Answer what HTTP itself refuses in the same shape."""
    if response is not None and error.headers:
        response.set_headers(error.headers)
    status = error.status_code
    detail = error.description or _DETAILS.get(status, "this request is refused")
    await _say(response, ws, problems.document(status, _CODES.get(status, "refused"), detail))


async def _on_fault(
    request: falcon.asgi.Request,
    response: falcon.asgi.Response | None,
    error: Exception,
    _params: dict[str, Any],
    ws: falcon.asgi.WebSocket | None = None,
) -> None:
    """Answer an unforeseen exception: the log gets the traceback, the client the request's id."""
    if isinstance(error, HTTPStatus | falcon.WebSocketDisconnected):
        return
    _log.error("%s failed unexpectedly", request.method, exc_info=error)
    detail = f"something went wrong here; the log has it under request {request.context.get('id', '-')}"
    await _say(response, ws, problems.document(500, "internal-error", detail))


async def _say(
    response: falcon.asgi.Response | None,
    ws: falcon.asgi.WebSocket | None,
    answer: problems.Problem,
    error: BaseException | None = None,
) -> None:
    if ws is not None:
        await ws.close(3000 + answer.status, answer.code)
    elif response is not None:
        problems.put(response, answer, error)
