"""Segment Anything and its descendants with one feature map: MobileSAM."""

from __future__ import annotations

from appliance.engine.families._sam import SamFamily

__all__ = ["FAMILY"]

FAMILY = SamFamily("sam", "SAM", [(1, 256, 64, 64)])
