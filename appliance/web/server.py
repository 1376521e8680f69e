"""The serving box: its listeners, what tidies up beside them, its start and its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.errors import Unavailable
from appliance.settings import Settings
from appliance.store import setup
from appliance.web.borders import is_loopback, speaks_tls
from appliance.web.console import Console
from appliance.web.listener import Listener
from appliance.web.operations import Services
from appliance.web.trusting import build_trust_app
from appliance.web.upkeep import Upkeep

if TYPE_CHECKING:
    from appliance.web.certificates import Certificates

__all__ = ["Server"]

_log = logging.getLogger(__name__)
_DEADLINE_S = 10.0
_LOOK_S = 60.0


class Server:
    """Serve the application until told to stop.

    Args:
        app: The ASGI application.
        services: Its store, settings and live sockets.

    Raises:
        Unavailable: An address cannot be listened on, the site's certificate cannot be used, or a
            demo would leave this machine.
    """

    def __init__(self, app: Any, services: Services) -> None:
        self._services = services
        self._settings = services.settings
        if services.store.read(setup.is_demo) and not is_loopback(self._settings.host):
            raise Unavailable("a demo has well-known passwords: it listens on 127.0.0.1 only, leave --host out")
        self.tls = speaks_tls(self._settings)
        self._certificates = self._certificates_of(self._settings) if self.tls else None
        self._first = self._certificates.first() if self._certificates else None
        self._listener = Listener(app, self._settings.host, self._settings.port)
        self.port = self._listener.port
        self._plain: Listener | None = None
        if self.tls and self._settings.trust_port:
            trust_app = build_trust_app(services, self.port)
            self._plain = Listener(trust_app, self._settings.host, self._settings.trust_port)
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped_early = False

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        return f"{'https' if self.tls else 'http'}://{self._host}:{self.port}"

    @property
    def trust_url(self) -> str | None:
        """The plain address that explains how to trust the box, where there is one."""
        return f"http://{self._host}:{self._plain.port}/trust" if self._plain else None

    @property
    def _host(self) -> str:
        host = self._settings.host
        host = socket.gethostname() if host in ("0.0.0.0", "::", "") else host
        return f"[{host}]" if ":" in host else host

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

    def _certificates_of(self, settings: Settings) -> Certificates:
        from appliance.web.certificates import Certificates  # cryptography is not needed on loopback

        return Certificates(Path(self._services.store.folder) / "tls", settings)

    async def _run(self, ready: Callable[[Server], None], signals: bool) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        if self._stopped_early:
            self._stop.set()
        if signals and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self._stop.set)
        self._listener.show(self._first)
        if self._plain is not None:
            self._plain.show(None)
        console = Console(self._services.store)
        await console.open()
        beside = [asyncio.create_task(Upkeep(self._services).run()), asyncio.create_task(self._renewing())]
        failing = asyncio.create_task(self._listener.failed())
        stopping = asyncio.create_task(self._stop.wait())
        await self._listener.answering()
        await asyncio.to_thread(ready, self)
        await asyncio.wait({failing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (*beside, failing, stopping):
            task.cancel()
        console.close()
        await self._wind_down()

    async def _renewing(self) -> None:
        """Show another certificate as soon as one is due; requests go on, sockets are told to come again."""
        if self._certificates is None:
            return
        while True:
            await asyncio.sleep(_LOOK_S)
            pair = await asyncio.to_thread(self._certificates.renewed)
            if pair is not None:
                _log.info("another certificate is shown from now on")
                await self._services.live.move(_DEADLINE_S / 2)
                self._listener.show(pair)

    async def _wind_down(self) -> None:
        """Tell the sockets, let requests finish within the deadline, then end."""
        await self._services.live.stop(_DEADLINE_S / 2)
        if self._plain is not None:
            await self._plain.stop(1.0)
        await self._listener.stop(_DEADLINE_S)
