"""The sockets that are open, so that stopping can tell them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Live"]


class Live:
    """Sockets register an event to be woken by when they are to go; on the loop only.

    Attributes:
        stopping: The server stops: whoever is woken closes with 1012.
    """

    def __init__(self) -> None:
        self._open: set[asyncio.Event] = set()
        self._moving: set[asyncio.Event] = set()
        self.stopping = False

    @contextmanager
    def one(self, wake: asyncio.Event) -> Iterator[None]:
        """Count a socket as open for the length of the block."""
        self._open.add(wake)
        try:
            yield
        finally:
            self._open.discard(wake)
            self._moving.discard(wake)

    def __len__(self) -> int:
        return len(self._open)

    def leaves(self, wake: asyncio.Event) -> bool:
        """Tell whether a socket that was woken is to close with 1012."""
        return self.stopping or wake in self._moving

    async def stop(self, deadline_s: float) -> None:
        """Let every socket close, those too that come meanwhile, and wait until they have."""
        self.stopping = True
        await self._clear(self._open, deadline_s)

    async def move(self, deadline_s: float) -> None:
        """Let the sockets of this moment close, so that their clients connect anew, and wait for them."""
        self._moving |= self._open
        await self._clear(self._moving, deadline_s)

    async def _clear(self, sockets: set[asyncio.Event], deadline_s: float) -> None:
        for wake in sockets:
            wake.set()
        loop = asyncio.get_running_loop()
        until = loop.time() + deadline_s
        while sockets and loop.time() < until:
            await asyncio.sleep(0.01)
