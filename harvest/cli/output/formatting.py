"""Numbers and times in words, the same in the display, the log and `harvest status`. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from harvest.models import Outcome
from harvest.store.standing import Standing
from harvest.system.logs import printable

PHASES = {
    "seed": "Looking up the seed",
    "lookups": "Looking things up",
    "spill": "Listing who liked and reposted",
    "playlists": "Reading playlists",
    "stations": "Reading stations",
    "searches": "Searching",
    "users": "Reading what they like",
    "done": "Nothing left to read",
}
_USUAL = {"spill": {"likers", "reposters"}, "users": {"likes"}}  # what these words are true of
_WHOSE = {"spill": "tracks", "users": "people"}
_NAMED = 3  # kinds of lists, where many are read together


def quoted(argument: Path | str) -> str:
    """Write an argument so that it can be pasted behind a command."""
    return printable(shlex.quote(str(argument)))


def told(n: int | None) -> str:
    """Write a number that the service may not have told: unknown is no 0."""
    return "-" if n is None else f"{n:,}"


def counted(n: int, thing: str) -> str:
    """Write how many there are of a thing, one of it in the singular: 1 list, 1,200 lists."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def explore(path: Path) -> str:
    """Name the commands that show a file."""
    file = quoted(path)
    return f"Explore it with: harvest sql --cache-path {file}\nLook at it with: harvest report --cache-path {file}"


def phase_words(seen: Standing) -> str:
    """Name what is read at present, with its depth from the second level on: in words of its own where that is what is
    usually read, else by the names of the lists.
    """
    names = [kind.option for kind in seen.at_work if kind.option]
    words = PHASES[seen.phase]
    if seen.phase in _USUAL and not _USUAL[seen.phase].issuperset(names):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED + 1 else ""
        shown = names[:_NAMED] if more else names
        words = f"Reading {', '.join(shown)}{more} of {_WHOSE[seen.phase]}"
    return f"{words}, depth {seen.depth}" if seen.depth > 1 and seen.phase != "done" else words


def duration(seconds: float) -> str:
    """Write a length of time for people: 42 s, 3 min 20 s, 2 h 05 min, 12 days 3 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400:,} days {whole % 86400 // 3600} h"


def about(seconds: float) -> str:
    """Write an estimated length of time no finer than it is known: 40 s, 12 min, 2 h 05 min."""
    if seconds < 90:
        return duration(max(round(seconds / 5) * 5, 5))
    return f"{round(seconds / 60)} min" if seconds < 3600 else duration(round(seconds / 300) * 300)


def remaining(requests: int, *, at_least: bool, seconds: float | None) -> str:
    """Say how long the rest will take, as far as is known."""
    if not requests:
        return ""
    if seconds is None:
        return "time left not known yet"
    return f"{'≥ ' if at_least else 'about '}{about(seconds)} left"


def rate(per_second: float) -> str:
    """Write a rate in the unit that gives it digits: 1.9/s, 40/min."""
    if per_second >= 0.95 or not per_second:
        return f"{per_second:,.0f}/s" if per_second >= 99.5 or not per_second else f"{per_second:.1f}/s"
    return f"{per_second * 60:.0f}/min" if per_second * 60 >= 0.95 else f"{per_second * 3600:.0f}/h"


def in_order(outcomes: Mapping[str, int]) -> list[tuple[str, int]]:
    """Put outcomes into their order."""
    return [(o.value, outcomes[o.value]) for o in Outcome if outcomes.get(o.value)]
