"""The one file that knows Granian's embedded server.

It is documented as experimental and single-worker. What is used of it: an ASGI application, a
listening socket of ours (so that port 0 works, a busy port is told, and a new certificate needs
no new socket), TLS files, `stop`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.http import HTTP1Settings
from granian.server.common import SSLProtocols
from granian.server.embed import Server as Granian

from appliance.errors import Unavailable

__all__ = ["Listener"]

_log = logging.getLogger(__name__)
_BACKLOG = 512


class _OnOurSocket(Granian):
    """Granian's server on a socket that is bound and listening already."""

    def __init__(self, app: Any, listening: socket.socket, **options: Any) -> None:
        super().__init__(app, interface="asgi", log_enabled=False, **options)
        self._listening = listening

    def _init_shared_socket(self) -> None:
        self._shd = SocketHolder(self._listening.detach(), False, _BACKLOG)


class Listener:
    """An application on an address, whose certificate can be changed while it serves.

    The listening socket stays ours for good. Each certificate has a server of its own on a copy of
    it: the next one listens before the one before stops, and whoever connects in between waits in
    the queue of the socket. A stopped server finishes the requests it has.

    Args:
        app: The ASGI application.
        host: Address or name to listen on.
        port: 0 for a free one.

    Raises:
        Unavailable: The address cannot be listened on.
    """

    def __init__(self, app: Any, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._socket = _listen(host, port)
        self.port = int(self._socket.getsockname()[1])
        self._server: Granian | None = None
        self._serving: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    def show(self, certificate: tuple[Path, Path] | None) -> None:
        """Serve from now on with this certificate and key, or without TLS; stop what served before."""
        before = self._server
        options: dict[str, Any] = {"http1_settings": HTTP1Settings(header_read_timeout=15_000), "backlog": _BACKLOG}
        if certificate is not None:
            options |= {"ssl_cert": certificate[0], "ssl_key": certificate[1], "ssl_protocol_min": SSLProtocols.tls12}
        self._server = _OnOurSocket(self._app, self._socket.dup(), **options)
        if self._serving is not None:
            self._leaving.add(self._serving)
            self._serving.add_done_callback(self._leaving.discard)
        self._serving = asyncio.create_task(self._server.serve())
        if before is not None:
            before.stop()

    async def answering(self) -> None:
        """Wait until a connection is answered, so that whoever is told so may connect."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        while self._serving is not None and not self._serving.done():
            with socket.socket(family) as probe:
                probe.setblocking(False)
                try:
                    await asyncio.get_running_loop().sock_connect(probe, (_reachable(self._host), self.port))
                    return
                except OSError:
                    await asyncio.sleep(0.01)

    async def failed(self) -> None:
        """Return when the server has ended though nobody stopped it."""
        while self._serving is not None:
            serving = self._serving
            await asyncio.wait({serving})
            if serving is self._serving:
                return

    async def stop(self, deadline_s: float) -> None:
        """Let requests finish within the deadline, then end.

        Raises:
            Exception: What ended the server before.
        """
        self._socket.close()
        if self._server is None or self._serving is None:
            return
        self._server.stop()
        _, late = await asyncio.wait({self._serving, *self._leaving}, timeout=deadline_s)
        for task in late:
            task.cancel()
        if late:
            _log.warning("some requests did not finish within %.0f s", deadline_s)
        elif self._serving.done():
            await self._serving


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)


def _listen(host: str, port: int) -> socket.socket:
    """Bind and listen, so that a busy port is an error and port 0 a free one.

    Raises:
        Unavailable: The address is busy, or not this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise Unavailable(f"{host} is no address of this machine: give another --host") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # handed on to every connection
        listening.bind(address)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise Unavailable(
            f"cannot listen on {host} port {port}: {error.strerror}; give another --host or --port"
        ) from error
    return listening
