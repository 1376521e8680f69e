"""The sockets that are open, so that stopping can tell them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Live"]


class Live:
    """Sockets register an event to be woken by when the server stops; on the loop only."""

    def __init__(self) -> None:
        self._open: set[asyncio.Event] = set()
        self.stopping = False

    @contextmanager
    def one(self, wake: asyncio.Event) -> Iterator[None]:
        """Count a socket as open for the length of the block."""
        self._open.add(wake)
        try:
            yield
        finally:
            self._open.discard(wake)

    def __len__(self) -> int:
        return len(self._open)

    async def stop(self, deadline_s: float) -> None:
        """Wake every socket, which then closes with 1012, and wait until they have."""
        self.stopping = True
        for wake in self._open:
            wake.set()
        loop = asyncio.get_running_loop()
        until = loop.time() + deadline_s
        while self._open and loop.time() < until:
            await asyncio.sleep(0.01)
