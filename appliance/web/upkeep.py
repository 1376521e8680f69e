"""What a serving box tidies up now and then: old sessions, limits, codes, events and uploads."""

from __future__ import annotations

import asyncio
import logging

from appliance.errors import PixelQueueError
from appliance.store import events, invitations, limits, resets, sessions
from appliance.web.operations import Services

__all__ = ["Upkeep"]

_log = logging.getLogger(__name__)
_EVERY_S = 300.0


class Upkeep:
    """Remove what has run out, every five minutes."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._arrivals = services.arrivals

    async def run(self) -> None:
        """Go on until cancelled; a full disk is no reason to stop."""
        while True:
            try:
                await self.once()
            except PixelQueueError as error:
                _log.warning("upkeep was put off: %s", error)
            await asyncio.sleep(_EVERY_S)

    async def once(self) -> None:
        """Tidy up once."""
        settings = self._store.settings
        await self._store.awrite(
            lambda tx: sessions.purge(tx, idle_s=settings.session_idle_s, max_s=settings.session_max_s)
        )
        for purge in (limits.purge, resets.purge, invitations.purge):
            await self._store.awrite(purge)
        while await self._store.awrite(lambda tx: events.trim(tx, settings.event_retention)):
            await asyncio.sleep(0)
        await self._arrivals.tidy()
