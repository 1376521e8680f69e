"""SAM 2 and 2.1, whose decoder also takes two finer feature maps."""

from __future__ import annotations

from appliance.engine.families._sam import SamFamily

__all__ = ["FAMILY"]

FAMILY = SamFamily("sam2", "SAM 2", [(1, 256, 64, 64), (1, 32, 256, 256), (1, 64, 128, 128)])
