"""What every request passes, and every answer carries: Host allow-list and security headers."""

from __future__ import annotations

import ipaddress
import socket

import falcon
import falcon.asgi

from appliance.settings import Settings

__all__ = ["CSP", "HostList", "SecurityHeaders", "host_of", "is_loopback", "speaks_tls"]

# Masks, thumbnails and tiles come as blob: and data: pictures; everything else is the box itself.
CSP = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class SecurityHeaders:
    """Put the security headers on every answer, errors and files too.

    The opener policy goes only to origins that browsers trust: elsewhere they ignore it, and say so
    in the console of every page. Source: HTML standard, "obtain a cross-origin opener policy".
    """

    async def process_response(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, _resource: object, _ok: bool
    ) -> None:
        """Add what the responder has not set itself (files are sandboxed more tightly)."""
        for name, value in _HEADERS.items():
            if response.get_header(name) is None:
                response.set_header(name, value)
        if request.scheme == "https":
            response.set_header("Strict-Transport-Security", "max-age=31536000")
        if request.scheme == "https" or is_loopback(host_of(request.get_header("Host") or "")):
            response.set_header("Cross-Origin-Opener-Policy", "same-origin")


class HostList:
    """Refuse requests that name a host which is not this box, which stops DNS rebinding.

    Allowed are loopback, the address the box listens on, every literal IP address (a name is
    what an attacker can rebind; an address cannot be), the machine's own name with and
    without ``.local``, and what the setting `hosts` adds.
    """

    def __init__(self, settings: Settings) -> None:
        own = socket.gethostname().lower()
        self._names = {"localhost", own, f"{own}.local", own.partition(".")[0], settings.host.lower()}
        self._names |= {name.strip().lower() for name in settings.hosts}

    def allows(self, netloc: str) -> bool:
        """Tell whether a Host header names this box."""
        host = host_of(netloc.lower()).rstrip(".")
        return host in self._names or _is_address(host)

    async def process_request(self, request: falcon.asgi.Request, _response: object) -> None:
        """Refuse a foreign Host."""
        self._check(request)

    async def process_request_ws(self, request: falcon.asgi.Request, _socket: object) -> None:
        """Refuse a foreign Host."""
        self._check(request)

    def _check(self, request: falcon.asgi.Request) -> None:
        if not self.allows(request.get_header("Host") or ""):
            raise falcon.HTTPError(421, description="this box does not answer to that host name")


def is_loopback(host: str) -> bool:
    """Tell whether an address or name to listen on stays on this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def speaks_tls(settings: Settings) -> bool:
    """Tell whether the box speaks TLS: everywhere but on loopback, unless told otherwise."""
    return not is_loopback(settings.host) and not settings.plain_http


def host_of(netloc: str) -> str:
    """Return the name or address of a Host header, without port and brackets."""
    if netloc.startswith("["):
        return netloc.partition("]")[0][1:]
    return netloc.rpartition(":")[0] if ":" in netloc else netloc


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
