"""The box itself: is it well, and what has it."""

from __future__ import annotations

import msgspec

import appliance
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission

__all__ = ["OPERATIONS", "Health"]

OPERATIONS = Operations("box", "The box itself")


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is ``ok``, or ``degraded`` when the box cannot take pictures in."""

    status: str
    version: str


@OPERATIONS.get("/api/health", permission=Permission.PUBLIC, response=Health, summary="Is the box up")
async def health(_call: Call) -> Health:
    return Health(status="ok", version=appliance.__version__)
