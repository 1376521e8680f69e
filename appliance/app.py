"""The composition root: everything the appliance is, built from its settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.settings import Settings
from appliance.store import Store, setup

if TYPE_CHECKING:
    from appliance.web.server import Server

__all__ = ["Appliance", "build"]


class Appliance:
    """A store, its jobs and its web application, not yet started.

    Use it as a context manager, or call `close`.

    Attributes:
        store: The open data directory.
        jobs: The queue and its lanes.
        services: What the web works with.
        app: The ASGI application.
    """

    def __init__(self, settings: Settings) -> None:
        from appliance.jobs.services import Jobs
        from appliance.web.app import build_app
        from appliance.web.operations import Services

        self.settings = settings
        self.store = Store(Path(settings.data), settings)
        try:
            self.jobs = Jobs(self.store, settings)
            self.services = Services(self.store, self.jobs, settings)
            self.app = build_app(self.services)
        except BaseException:
            self.store.close()
            raise

    def serve(
        self, ready: Callable[[Server, str | None], None] = lambda _server, _code: None, *, signals: bool = True
    ) -> None:
        """Serve until stopped; blocks.

        Args:
            ready: Called once with the server (its `url`) and, while nobody has claimed the
                box, the code to claim it with, for the console.
            signals: Stop on SIGTERM and SIGINT; main thread only.

        Raises:
            Unavailable: The address cannot be listened on.
        """
        from appliance.web.server import Server

        server = Server(self.app, self.services)
        code = self.store.write(setup.issue)
        self.jobs.start()
        try:
            server.run(lambda running: ready(running, code), signals=signals)
        finally:
            self.jobs.stop()

    def close(self) -> None:
        """Close everything; a second call does nothing."""
        self.services.close()
        self.store.close()

    def __enter__(self) -> Appliance:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def build(settings: Settings) -> Appliance:
    """Put the appliance together.

    Raises:
        StoreError: The data directory cannot be used.
    """
    return Appliance(settings)
