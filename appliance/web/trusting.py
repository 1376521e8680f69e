"""What a plain HTTP port shows, where the settings ask for one: how to trust the box, and nothing else.

No session, no password and no data ever passes here: only the page, the authority it is about, and
a way to the TLS port for everything else.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import falcon
import falcon.asgi

from appliance.web.app import put_together
from appliance.web.borders import host_of
from appliance.web.operations import Services, operations
from appliance.web.static import Static

__all__ = ["build_trust_app"]

_SHOWN = ("get_trust", "get_certificate")


def build_trust_app(services: Services, tls_port: int) -> falcon.asgi.App:
    """Put the application of the plain port together."""
    app = put_together(services, [one for one in operations() if one.name in _SHOWN])
    app.add_sink(_ToTls(tls_port), prefix=re.compile(r"/"))
    app.add_sink(Static(), prefix=re.compile(r"/(assets/|trust$|[^/]+\.\w+$)"))
    return app


class _ToTls:
    """A sink that leads to the same address over TLS."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __call__(self, request: falcon.asgi.Request, _response: falcon.asgi.Response, **_: Any) -> None:
        """Redirect without the query, which may hold what is nobody's business."""
        host = host_of(request.get_header("Host") or "")
        host = f"[{host}]" if ":" in host else host
        raise falcon.HTTPPermanentRedirect(f"https://{host}:{self._port}{quote(request.path)}")
