"""Request ids and the access log."""

from __future__ import annotations

import contextvars
import logging
import secrets
import time

import falcon.asgi

from appliance.errors import UnknownSetting

__all__ = ["AccessLog", "WithRequestId", "configure", "one_line", "request_id"]

_log = logging.getLogger("appliance.access")

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")
"""Id of the request that the present code serves; also in the answer's X-Request-Id."""


class WithRequestId(logging.Filter):
    """Give every record a `request_id`, for the format of whoever sets up logging."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def configure(level: str) -> None:
    """Log to standard error at a level: debug, info, warning or error.

    Raises:
        UnknownSetting: There is no such level.
    """
    if level not in ("debug", "info", "warning", "error"):
        raise UnknownSetting(f"log_level is debug, info, warning or error, not {level!r}", field="log_level")
    handler = logging.StreamHandler()
    handler.addFilter(WithRequestId())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(request_id)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def one_line(text: str, limit: int = 300) -> str:
    """Make text from outside harmless in a log: no newline, no control character, not long."""
    return text[:limit].encode("unicode_escape").decode("ascii")


class AccessLog:
    """Middleware that names each request and writes one line when it is answered.

    The line has the path but no query string, header or body: no secret can be in it.
    """

    async def process_request(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """Name the request."""
        request.context.started = time.perf_counter()
        request.context.id = secrets.token_hex(8)
        request.context.user_id = None
        request_id.set(request.context.id)
        response.set_header("X-Request-Id", request.context.id)

    async def process_response(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, _resource: object, _ok: bool
    ) -> None:
        """Write the line, where anybody wants to read it."""
        if not _log.isEnabledFor(logging.DEBUG):
            return
        _log.debug(
            "%s %s %s %d %.1fms user=%s",
            one_line(request.remote_addr),
            request.method,
            one_line(request.path),
            response.status_code,
            (time.perf_counter() - request.context.started) * 1000,
            request.context.user_id,
        )

    async def process_request_ws(self, request: falcon.asgi.Request, _socket: object) -> None:
        """Name the socket."""
        request.context.id = secrets.token_hex(8)
        request.context.user_id = None
        request_id.set(request.context.id)
