"""Days as a time zone has them, over numbers that are kept by the hour.

An hour counts from 1970-01-01 UTC, a day from 1970-01-01 in its zone. An hour belongs to the day it
begins in: where a zone is a part of an hour off, the rest of the hour midnight falls into counts
with the day before.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance.errors import InvalidInput

__all__ = ["EPOCH", "Period", "hour_of", "zone_of"]

EPOCH = date(1970, 1, 1)
_HOUR_S = 3_600


def hour_of(at_ms: int) -> int:
    """Return the hour of a time."""
    return at_ms // (_HOUR_S * 1000)


def zone_of(name: str) -> tzinfo:
    """Return the zone of this name in the IANA database.

    Raises:
        InvalidInput: There is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(f"there is no time zone {name!r}: give one like Europe/Berlin", field="zone") from error


class Period:
    """Some days in a row, the last one given by a time that falls into it.

    Attributes:
        first_day: Days since 1970-01-01, in the zone.
        last_day: Likewise.
        begin: The hour the first day begins with.
        end: The hour the day after the last begins with.
    """

    def __init__(self, now_ms: int, days: int, zone: tzinfo = UTC) -> None:
        self.last_day = (datetime.fromtimestamp(now_ms / 1000, zone).date() - EPOCH).days
        self.first_day = self.last_day - days + 1
        self._begins = [_begin(day, zone) for day in range(self.first_day, self.last_day + 2)]
        self.begin, self.end = self._begins[0], self._begins[-1]

    def day_of(self, hour: int) -> int:
        """Return the day an hour of the period belongs to."""
        return self.first_day + bisect_right(self._begins, hour) - 1


def _begin(day: int, zone: tzinfo) -> int:
    """Return the first hour that begins in a day; midnight may not exist, then it is when the day begins."""
    on = EPOCH + timedelta(day)
    midnight_s = datetime(on.year, on.month, on.day, tzinfo=zone).timestamp()
    return -int(-midnight_s // _HOUR_S)
