"""What `harvest status` says: a Look at a file in lines, or as JSON. Pure.

Rows of users, tracks, likes and reposts are exact (the file keeps count of them); so are lists, requests and failures.
What is left, and how long it takes, are estimates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harvest import errors
from harvest.cli.output.coverage import coverage_lines
from harvest.cli.output.formatting import (
    counted,
    duration,
    explore,
    in_order,
    phase_words,
    quoted,
    rate,
    remaining,
    told,
)
from harvest.cli.output.gaps import gap_lines
from harvest.client.budget import REASONS
from harvest.lists import KINDS, LOOKUP
from harvest.store.samples import Judged, in_short
from harvest.store.standing import Lists
from harvest.store.status import HarvestLook, Look
from harvest.system.logs import printable

if TYPE_CHECKING:
    from harvest.inference.bias import Bias

_SEEDS_SHOWN = 5  # of each harvest


@dataclass(frozen=True, slots=True)
class Scene:
    """A look at a file, what its samples have seen, how those followed differ, who holds it, and the present time."""

    path: Path
    look: Look
    holder: tuple[str, int, str] | None
    now: datetime
    judged: Sequence[Judged] = ()
    biases: Sequence[Bias] | None = None  # None: not looked for

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take: as the crawl says, or at the pace of the last one; None when unknown."""
        seen, progress = self.look.standing, self.look.progress
        if not seen.requests_left:
            return 0.0
        if progress is None or progress.seconds_left is None or not progress.requests_left:
            return seen.requests_left * self.look.delay if self.look.delay else None
        if self.holder is None:
            return progress.seconds_left / progress.requests_left * seen.requests_left
        return max(0.0, progress.seconds_left - self.since(progress.told_at))

    @property
    def wait(self) -> tuple[float, str] | None:
        """How many seconds the crawl waits from now on, and what for."""
        progress = self.look.progress
        if self.holder is None or progress is None or progress.waiting_for is None or progress.waiting_until is None:
            return None
        left = -self.since(progress.waiting_until)
        return (left, progress.waiting_for) if left > 0 else None

    def since(self, moment: str) -> float:
        """Seconds since a stored time."""
        return (self.now - datetime.fromisoformat(moment).replace(tzinfo=UTC)).total_seconds()


def in_json(scene: Scene) -> dict[str, Any]:
    """Give everything as plain JSON values."""
    look, seen, wait = scene.look, scene.look.standing, scene.wait
    holder = scene.holder and {"host": scene.holder[0], "pid": scene.holder[1], "last_seen_at": scene.holder[2]}
    return {
        "path": str(scene.path),
        "crawled_by": holder,
        "harvests": [asdict(harvest) for harvest in look.harvests],
        "phase": seen.phase,
        "depth": seen.depth,
        "users": seen.users,
        "tracks": seen.tracks,
        "likes": seen.likes,
        "reposts": seen.reposts,
        "pages": seen.pages,
        "lists": [_list(kind) for kind in seen.lists if not KINDS[kind.kind].looks_up],
        "lookups": [_list(kind) for kind in seen.lists if KINDS[kind.kind].looks_up],
        "outcomes": dict(in_order(seen.outcomes)),
        "lists_open": seen.open_lists,
        "requests_left": seen.requests_left,
        "at_least": seen.at_least,
        "seconds_left": scene.seconds_left,
        "failures": look.failures,
        "retryable_failures": look.retryable_failures,
        "gaps": [asdict(gap) for gap in look.gaps],
        **in_short(scene.judged),
        **({} if scene.biases is None else {"bias": [one.as_json() for one in scene.biases]}),
        "requests": look.requests,
        "api_calls": sum(look.requests.values()),
        "seconds": look.seconds,
        "waited_seconds": look.waited_seconds,
        "waiting": wait and {"seconds": round(wait[0]), "why": wait[1]},
        "progress": look.progress and asdict(look.progress),
        "last_activity": look.last_activity,
        "stop_reason": look.stop_reason,
        "next": what_next(scene),
    }


def _list(kind: Lists) -> dict[str, Any]:
    return asdict(kind) | {"outcomes": dict(kind.outcomes)}


def as_lines(scene: Scene) -> Iterator[str]:
    """Say it to people, whatever stands in the file: a line stays one."""
    yield from map(printable, _told(scene))
    yield from what_next(scene).splitlines()


def _told(scene: Scene) -> Iterator[str]:
    look, seen = scene.look, scene.look.standing
    for harvest in look.harvests:
        yield from _harvest(harvest)
    yield ""
    yield from _facts(scene)
    yield from coverage_lines(scene.judged)
    if any(not KINDS[kind.kind].looks_up for kind in seen.lists):
        yield ""
        yield from _lists(look)
    if look.failures:
        yield ""
        classes = ", ".join(f"{n:,} {name}" for name, n in look.failures.items())
        yield f"  Failures, lists by class: {classes}"
    yield ""
    yield from _now(scene)


def what_next(scene: Scene) -> str:
    """Name the next command, or say that there is none to give."""
    look, path = scene.look, scene.path
    if scene.holder:
        return f"Watch it with: harvest status --watch --cache-path {quoted(path)}"
    if look.is_unerased:
        return f"Not yet erased: what was forgotten may still stand in old bytes. End it with: {_finish(path)}"
    if look.standing.open_lists and any(harvest.state in ("running", "paused") for harvest in look.harvests):
        return f"Go on with: harvest {'demo' if look.is_demo else 'resume'} --cache-path {quoted(path)}"
    if any(kind.open for kind in look.standing.lists if kind.kind == LOOKUP.name):
        return f"Go on with what is to be looked up: harvest counts --cache-path {quoted(path)}"
    return "\n".join(gap_lines(look, path)) or explore(path)


def _finish(path: Path) -> str:
    return f"harvest forget --finish --cache-path {quoted(path)}"


def _harvest(harvest: HarvestLook) -> Iterator[str]:
    for seed in harvest.seeds[:_SEEDS_SHOWN]:
        title = f"  “{printable(seed.title)}”" if seed.title else ""
        lost = f"  not found: {printable(seed.reason)}" if seed.reason and harvest.state != "failed" else ""
        yield f"{printable(seed.address)}{title}{lost}"
    if len(harvest.seeds) > _SEEDS_SHOWN:
        yield f"and {counted(len(harvest.seeds) - _SEEDS_SHOWN, 'more seed')}"
    depth = f", depth {harvest.depth}" if harvest.depth > 1 else ""
    open_lists = f", {counted(harvest.lists_open, 'list')} to read" if harvest.lists_open else ""
    finished = f" at {harvest.finished_at}" if harvest.finished_at else ""
    why = f": {printable(harvest.reason)}" if harvest.reason else ""
    yield f"  {harvest.state}{finished}{depth}{open_lists}{why}"


def _facts(scene: Scene) -> Iterator[str]:
    look, seen, progress = scene.look, scene.look.standing, scene.look.progress
    yield f"  phase     {phase_words(seen)}"
    yield "  found     " + " · ".join(
        counted(n, what)
        for n, what in ((seen.users, "user"), (seen.tracks, "track"), (seen.likes, "like"), (seen.reposts, "repost"))
    )
    left = f"{'≥ ' if seen.at_least else ''}{counted(seen.requests_left, 'request')} to go (estimate)"
    yield f"  pages     {seen.pages:,} kept · {left if seen.requests_left else 'none to go'}"
    if seen.requests_left:
        at = "" if scene.holder else ", at the pace of the last crawl"
        yield f"  time      {remaining(seen.requests_left, at_least=seen.at_least, seconds=scene.seconds_left)}{at}"
    spent = f"{duration(look.seconds)} spent"
    yield f"  so far    {spent}, {duration(look.waited_seconds)} of it waiting because the service said so"
    answers = " · ".join(f"{n:,} × {status if status != '0' else 'no answer'}" for status, n in look.requests.items())
    yield f"  requests  {sum(look.requests.values()):,}{': ' if answers else ''}{answers}"
    if scene.holder and progress:
        allowed = f"{rate(progress.allowed_per_second)} allowed" if progress.allowed_per_second else "no limit met"
        yield f"  pace      {rate(progress.per_second)} of late · {allowed} · {progress.in_flight} in flight"


def _lists(look: Look) -> Iterator[str]:
    """Write a table of lists by kind and outcome, with the requests they took, repeated ones left out.

    The lengths are of ended lists whose length the service told.
    """
    outcomes = [name for name, _ in in_order(look.standing.outcomes)]
    header = ["lists", *outcomes, "open", "requests", "claimed", "fetched"]
    rows = [header]
    for kind in look.standing.lists:
        if not KINDS[kind.kind].looks_up:
            found = dict(kind.outcomes)
            numbers = [*(found.get(name, 0) for name in outcomes), kind.open, kind.asked, kind.claimed, kind.kept]
            rows.append([KINDS[kind.kind].name, *map(told, numbers)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]  # no `table`: a look goes without rich
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield "  ".join(["", row[0].ljust(widths[0]), *cells])


def _ending(stop_reason: str) -> str:
    """Say in words why a crawl stopped: a bound, an interruption, or an error, which the file has by its name."""
    if stop_reason in REASONS:
        return f"your {REASONS[stop_reason]} was reached."
    if stop_reason == "interrupted":
        return "it was interrupted."
    error = getattr(errors, stop_reason, None)
    if isinstance(error, type) and issubclass(error, errors.HarvestError):
        return (error.__doc__ or "").strip().splitlines()[0]
    if stop_reason in ("OperationalError", "DatabaseError", "OSError"):
        return (errors.StorageFailed.__doc__ or "").strip()
    return f"something unexpected ({stop_reason}), please report it."


def _now(scene: Scene) -> Iterator[str]:
    last = scene.look.last_activity
    ago = f"{duration(max(0.0, scene.since(last)))} ago ({last})" if last else "none"
    yield f"Last activity: {ago}"
    if scene.wait:
        yield f"Waiting {duration(scene.wait[0])}: {printable(scene.wait[1])}"
    if scene.holder:
        yield f"Being crawled by process {scene.holder[1]} on {scene.holder[0]}."
    elif scene.look.stop_reason and scene.look.stop_reason != "drained":
        yield f"No crawl is running; the last one ended with: {_ending(scene.look.stop_reason)}"
    elif scene.look.stop_reason is None:
        yield "No crawl is running; the last one was killed. Stored data is safe."
