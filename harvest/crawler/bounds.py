"""Read what a crawl may spend: lengths of time, times of day, and a total that is kept for later runs. Pure.

In: options as they are given, and what is kept of the last run. Out: Bounds. Never: the time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from harvest.client.budget import Budget
from harvest.errors import SettingsError
from harvest.models import MOST
from harvest.system.lengths import LONGEST, parse_length

_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a crawl stops, None for no bound; a `total` counts what all runs of the file spent, and is kept."""

    max_requests: int | None = None
    for_seconds: float | None = None
    until: str | None = None  # a time of day
    max_failures: int | None = None
    total: bool = False

    def budget(self, now: datetime) -> Budget:
        """Build the object that is asked before anything is spent; `now` is local time."""
        return Budget(
            max_requests=self.max_requests,
            max_failures=self.max_failures,
            for_seconds=self.for_seconds,
            until=next_moment(parse_time_of_day(self.until), now) if self.until else None,
            total=self.total,
        )

    def dump(self) -> dict[str, Any]:
        """Give what is stored of them: those that are set."""
        return {name: value for name, value in asdict(self).items() if value}


def bounds(given: Mapping[str, Any], kept: Mapping[str, Any] | None) -> Bounds:
    """Give the bounds of this run: what is asked for now, else the total kept from earlier runs.

    Raises SettingsError for a bound that makes no sense, and for a total of nothing.
    """
    asked = Bounds(
        max_requests=_whole("max-requests", given.get("max_requests")),
        for_seconds=seconds_of("--for", given.get("for_")),
        until=_time(given.get("until")),
        max_failures=_whole("max-failures", given.get("max_failures")),
        total=bool(given.get("total")),
    )
    if replace(asked, total=False) != Bounds():
        return asked
    total = _total_of(kept)
    if asked.total and not total.total:
        raise SettingsError("--total says how to count: give --max-requests, --for or --max-failures as well.")
    return Bounds() if given.get("total") is False else total


def parse_time_of_day(text: str) -> time:
    """Read a time of day, 06:00; raise ValueError with what to write instead."""
    found = _TIME_OF_DAY.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no time of day: write it like 06:00 or 18:30, in local time")
    hour, minute, second = (int(part or 0) for part in found.groups())
    return time(hour, minute, second)


def next_moment(at: time, now: datetime) -> datetime:
    """Give the next moment, after `now`, at which the clocks of `now`'s zone show this time.

    A time without a zone is local time, and knows about summer time: what the clocks show twice comes twice, and what
    they leap over comes as much later as they leap.
    """
    today = now.replace(hour=at.hour, minute=at.minute, second=at.second, microsecond=0)
    moments = (moment for n in (0, 1, 2) for moment in _moments(today + timedelta(days=n)))
    return datetime.fromtimestamp(next(moment for moment in moments if moment > now.timestamp()), UTC)


def _moments(shown: datetime) -> tuple[float, ...]:
    """Give the moments, in seconds, at which clocks show a time (PEP 495). `astimezone` errs in a gap."""
    first, second = shown.replace(fold=0).timestamp(), shown.replace(fold=1).timestamp()
    return (first, second) if first < second else (first,)


def _total_of(kept: Mapping[str, Any] | None) -> Bounds:
    """Take up what is kept for later runs; a time of day is no total."""
    if not kept or not kept.get("total"):
        return Bounds()
    return Bounds(kept.get("max_requests"), kept.get("for_seconds"), None, kept.get("max_failures"), total=True)


def _whole(name: str, value: Any) -> int | None:
    if value is None or (isinstance(value, int) and 1 <= value <= MOST):
        return value
    raise SettingsError(f"--{name} is a whole number from 1 on, not {value!r}.")


def seconds_of(flag: str, value: Any) -> float | None:
    """Read seconds, or a length of time. Raises SettingsError for what is neither, naming the flag."""
    if isinstance(value, str):
        try:
            return parse_length(value)
        except ValueError as error:
            raise SettingsError(f"{flag} {error}.") from error
    if value is None or (isinstance(value, int | float) and 0 < value <= LONGEST):
        return value
    raise SettingsError(f"{flag} is a length of time, like 90m, or a number of seconds above 0, not {value!r}.")


def _time(value: Any) -> str | None:
    if value is None:
        return None
    try:
        parse_time_of_day(str(value))
    except ValueError as error:
        raise SettingsError(f"--until {error}.") from error
    return str(value).strip()
