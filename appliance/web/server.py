"""The one file that knows Granian's embedded server.

It is documented as experimental and single-worker. What is used of it: an ASGI application,
a listening socket of ours (so that port 0 works and a busy port is told), TLS files, `stop`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.http import HTTP1Settings
from granian.server.common import SSLProtocols
from granian.server.embed import Server as Granian

from appliance.errors import Unavailable
from appliance.settings import Settings
from appliance.store import setup
from appliance.web.borders import is_loopback
from appliance.web.operations import Services
from appliance.web.upkeep import Upkeep

__all__ = ["Server", "speaks_tls"]

_log = logging.getLogger(__name__)
_BACKLOG = 512
_DEADLINE_S = 10.0


def speaks_tls(settings: Settings) -> bool:
    """Tell whether the server speaks TLS: everywhere but on loopback, unless told otherwise."""
    return not is_loopback(settings.host) and not settings.plain_http


class _OnOurSocket(Granian):
    """Granian's server on a socket that is bound and listening already."""

    def __init__(self, app: Any, listening: socket.socket, **options: Any) -> None:
        super().__init__(app, interface="asgi", log_enabled=False, **options)
        self._listening = listening

    def _init_shared_socket(self) -> None:
        self._shd = SocketHolder(self._listening.detach(), False, _BACKLOG)


class Server:
    """Serve the application until told to stop.

    Args:
        app: The ASGI application.
        services: Its store, settings and live sockets.

    Raises:
        Unavailable: The address cannot be listened on, or a demo would leave this machine.
    """

    def __init__(self, app: Any, services: Services) -> None:
        self._app = app
        self._services = services
        self._settings = services.settings
        if services.store.read(setup.is_demo) and not is_loopback(self._settings.host):
            raise Unavailable("a demo has well-known passwords: it listens on 127.0.0.1 only, leave --host out")
        self._socket = _listen(self._settings.host, self._settings.port)
        self.port = int(self._socket.getsockname()[1])
        self.tls = speaks_tls(self._settings)
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped_early = False

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        host = self._settings.host
        host = socket.gethostname() if host in ("0.0.0.0", "::", "") else host
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def run(self, ready: Callable[[Server], None] = lambda _: None, *, signals: bool = True) -> None:
        """Serve; blocks until `stop` or, with `signals`, SIGTERM or SIGINT.

        `ready` is called, on a thread of its own, once requests are answered.
        """
        sys.setswitchinterval(0.001)  # a thread that computes hands the loop its turn sooner
        asyncio.run(self._run(ready, signals))

    def stop(self) -> None:
        """End serving gracefully; from any thread."""
        self._stopped_early = True
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _run(self, ready: Callable[[Server], None], signals: bool) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        if self._stopped_early:
            self._stop.set()
        if signals and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self._stop.set)
        granian = _OnOurSocket(self._app, self._socket, **await asyncio.to_thread(self._options))
        serving = asyncio.create_task(granian.serve())
        upkeep = asyncio.create_task(Upkeep(self._services).run())
        stopping = asyncio.create_task(self._stop.wait())
        await self._answering(serving)
        await asyncio.to_thread(ready, self)
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        upkeep.cancel()
        stopping.cancel()
        await self._wind_down(granian, serving)

    async def _wind_down(self, granian: Granian, serving: asyncio.Task[None]) -> None:
        """Tell the sockets, let requests finish within the deadline, then end."""
        await self._services.live.stop(_DEADLINE_S / 2)
        granian.stop()
        done, _ = await asyncio.wait({serving}, timeout=_DEADLINE_S)
        if not done:
            _log.warning("some requests did not finish within %.0f s", _DEADLINE_S)
            serving.cancel()
            return
        await serving

    async def _answering(self, serving: asyncio.Task[None]) -> None:
        """Wait until a connection is answered, so that whoever is told `ready` may connect."""
        family = socket.AF_INET6 if ":" in self._settings.host else socket.AF_INET
        while not serving.done():
            with socket.socket(family) as probe:
                probe.setblocking(False)
                try:
                    await asyncio.get_running_loop().sock_connect(probe, (_reachable(self._settings.host), self.port))
                    return
                except OSError:
                    await asyncio.sleep(0.01)

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"http1_settings": HTTP1Settings(header_read_timeout=15_000), "backlog": _BACKLOG}
        if not self.tls:
            return options
        from appliance.web import tls  # cryptography is not needed on loopback

        names = tls.names_of_box(self._settings.host, self._settings.hosts)
        certificate, key = tls.prepare(Path(self._services.store.folder) / "tls", names)
        return options | {"ssl_cert": certificate, "ssl_key": key, "ssl_protocol_min": SSLProtocols.tls12}


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
