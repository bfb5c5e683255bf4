"""Options that bound what a crawl may spend, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import click

from harvest.cli.options.types import Real, whole
from harvest.client.budget import Budget

Command = Callable[..., Any]

BOUNDS = ("max_requests", "for_seconds", "until", "max_failures", "total")
_KEPT = ("max_requests", "for_seconds", "max_failures")  # a time of day is no total
_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_LENGTH = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
LONGEST = 10 * 366 * 86_400


def parse_length(text: str) -> int:
    """Read a length of time, 2h, 90m, 1h30m or 45s, as seconds; raise ValueError with what to write instead."""
    found = _LENGTH.fullmatch("".join(text.lower().split()))
    seconds = sum(int(n) * _UNITS[unit] for n, unit in zip(found.groups(), "dhms", strict=True) if n) if found else 0
    if text.strip().isdecimal():
        raise ValueError(f"{text.strip()!r} needs a unit: {text.strip()}s, {text.strip()}m or {text.strip()}h")
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"{text!r} is no length of time: write it like 2h, 90m, 1h30m or 45s")
    return seconds


def parse_time_of_day(text: str) -> time:
    """Read a time of day, 06:00; raise ValueError with what to write instead."""
    found = _TIME_OF_DAY.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no time of day: write it like 06:00 or 18:30, in local time")
    hour, minute, second = (int(part or 0) for part in found.groups())
    return time(hour, minute, second)


def next_moment(at: time, now: datetime) -> datetime:
    """Give the next moment, after `now`, at which the clocks of `now`'s zone show this time.

    A time without a zone is local time, and knows about summer time.
    """
    today = now.replace(hour=at.hour, minute=at.minute, second=at.second, microsecond=0, fold=0)
    days = (today + timedelta(days=n) for n in (0, 1, 2))
    return next(moment for day in days if (moment := day.astimezone(UTC)) > now.astimezone(UTC))


class _Parsed(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases of click
    """A value that a function reads and that stays as it was typed, or becomes what the function gives."""

    def __init__(self, name: str, parse: Callable[[str], Any], *, as_typed: bool = False) -> None:
        self.name, self._parse, self._as_typed = name, parse, as_typed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it, or fail with one line."""
        if not isinstance(value, str):
            return value
        try:
            parsed = self._parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)
        return value.strip() if self._as_typed else parsed


class Seconds(Real):
    """A number of seconds within bounds, also written as a length of time."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it, or fail with one line."""
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                try:
                    value = parse_length(value)
                except ValueError as error:
                    self.fail(f"{error}, or as a number of seconds.", param, ctx)
        return super().convert(value, param, ctx)


def budget_options() -> list[Callable[[Command], Command]]:
    """Give the options of a budget."""
    return [
        click.option(
            "--max-requests",
            type=whole(1),
            metavar="N",
            help="Stop after so many requests, not one more; retries and token requests count.",
        ),
        click.option(
            "--for",
            "for_seconds",
            type=_Parsed("length", parse_length),
            metavar="LENGTH",
            help="Stop after this long: 2h, 90m, 1h30m, 45s.",
        ),
        click.option(
            "--until",
            type=_Parsed("time", parse_time_of_day, as_typed=True),
            metavar="HH:MM",
            help="Stop when the clock shows this next, in local time: 06:00.",
        ),
        click.option(
            "--max-failures",
            type=whole(1),
            metavar="N",
            help="Stop when so many lists have failed (people who are gone are no failures).",
        ),
        click.option(
            "--total/--no-total",
            default=None,
            help="Count what all earlier runs of the file spent, and keep these bounds for later ones; "
            "--no-total forgets kept ones.",
        ),
    ]


def wanted_budget(chosen: Mapping[str, Any], kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the budget of this run: what was asked for now, else the total kept from earlier ones."""
    asked = {name: value for name, value in chosen.items() if name in BOUNDS and value is not None}
    if not asked or (asked.keys() == {"total"} and asked["total"]):
        if asked and not _total_of(kept):
            raise click.UsageError("--total says how to count: give --max-requests, --for or --max-failures as well.")
        return _total_of(kept)
    return asked


def _total_of(kept: Mapping[str, Any] | None) -> dict[str, Any]:
    if not kept or not kept.get("total"):
        return {}
    return {"total": True, **{name: kept[name] for name in _KEPT if name in kept}}


def make_budget(wanted: Mapping[str, Any], now: datetime) -> Budget:
    """Build the object that is asked before anything is spent."""
    until = wanted.get("until")
    return Budget(
        max_requests=wanted.get("max_requests"),
        max_failures=wanted.get("max_failures"),
        for_seconds=wanted.get("for_seconds"),
        until=next_moment(parse_time_of_day(until), now) if until else None,
        total=bool(wanted.get("total")),
    )
