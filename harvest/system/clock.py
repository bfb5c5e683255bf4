"""The only place that knows the time, and the only place that waits."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Protocol

# What follows the day in a time of the API, and how we write it.
_MINUTES = {f" {hour:02}:{minute:02}": f"T{hour:02}:{minute:02}" for hour in range(24) for minute in range(60)}
_SECONDS = {f":{second:02} +0000": f":{second:02}Z" for second in range(60)}


class Clock(Protocol):
    """What the rest of harvest may ask of time; tests pass one that moves only when waited on."""

    def now(self) -> datetime:
        """Give the wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Give seconds that never go backwards, from an unknown beginning."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        """Give the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give seconds that never go backwards, from an unknown beginning."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait; zero and less still let others run."""
        import asyncio  # reading commands tell the time and never wait

        await asyncio.sleep(max(0.0, seconds))


def as_text(moment: datetime) -> str:
    """Write a time the way the database holds it: `2026-08-07T14:18:05Z`, to the second."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def parse_time(text: str | None) -> str | None:
    """Read a time of the API and write it our way; None for anything that is no time.

    Bodies carry `2026/08/07 14:18:05 +0000`; the description declares ISO 8601 for users. A time without an
    offset is taken as UTC, which is all that has been seen.
    """
    if not text:
        return None
    try:
        if text[4:5] == "/" and text[16:] in _SECONDS and text[10:16] in _MINUTES:  # the common form
            return _day(text[:10]) + _MINUTES[text[10:16]] + _SECONDS[text[16:]]
        moment = datetime.fromisoformat(text.replace("/", "-").replace(" +", "+").replace(" -", "-"))
        return as_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):  # an offset may lead out of the calendar
        return None


@lru_cache(maxsize=8192)
def _day(text: str) -> str:
    """Write a day of the API our way. Raises ValueError for one that is none."""
    return date.fromisoformat(f"{text[:4]}-{text[5:7]}-{text[8:10]}").isoformat()
