"""What is said at the end of a crawl: numbers from the file, which add up; results on stdout."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

import click

from harvest.cli.output.broken_pipe import leave_unread
from harvest.cli.output.formatting import duration
from harvest.cli.output.table import table
from harvest.client.budget import REASONS
from harvest.errors import SeedError
from harvest.models import Outcome
from harvest.store.database import open_to_read
from harvest.store.queries import Overview, overview, public_seed
from harvest.system.logs import printable

EXIT_FAILED_LISTS = 6
EXIT_BUDGET = 7
EXIT_INTERRUPTED = 130


def show_summary(
    path: Path,
    seeds: Sequence[str],
    *,
    as_json: bool,
    stop_reason: str = "drained",
    nothing_to_do: bool = False,
    go_on: str = "harvest resume",
) -> int:
    """Print the summary of a file and give the exit code. Raises SeedError when a seed could not be resolved.

    `go_on` is the command that would take up what was interrupted.
    """
    with open_to_read(path) as connection:
        seen = overview(connection)
    code = _exit_code(seen, stop_reason)
    asked = {public_seed(seed) for seed in seeds}
    if as_json:
        _print(json.dumps({"path": str(path), "stop_reason": stop_reason, "exit_code": code, **as_numbers(seen)}))
    else:
        headline = _headline(seen, stop_reason, nothing_to_do, asked)
        _print("\n".join([*summary_lines(seen, headline), "", _what_next(seen, path, stop_reason, go_on)]))
    failed = [h for h in seen.harvests if h.seed in asked and h.state == "failed"]
    if failed and stop_reason == "drained":
        raise SeedError("; ".join(f"{h.seed} could not be resolved: {h.reason}" for h in failed))
    return code


def _print(text: str) -> None:
    """Print the result of a crawl; whether anybody can read it changes nothing of how the crawl ended."""
    try:
        click.echo(text)
    except OSError as error:
        leave_unread()
        if not isinstance(error, BrokenPipeError):
            click.echo(f"harvest: the summary cannot be written: {error.strerror}. See `harvest status`.", err=True)


def as_numbers(seen: Overview) -> dict[str, object]:
    """Give the summary as plain JSON values."""
    numbers = seen.as_json()
    numbers.update(
        tracks=seen.rows["tracks"],
        users=seen.rows["users"],
        api_calls=sum(seen.requests.values()),
        tracks_per_second=_density(seen),
    )
    return numbers


def summary_lines(seen: Overview, headline: str) -> Iterator[str]:
    """Write the summary that users of the predecessor know, and how the lists ended."""
    yield headline
    yield ""
    facts = [
        ("total time", duration(seen.seconds)),
        ("tracks", f"{seen.rows['tracks']:,}"),
        ("users", f"{seen.rows['users']:,}"),
        ("likes", f"{seen.likes:,}"),
        ("reposts", f"{seen.reposts:,}"),
        ("API calls", f"{sum(seen.requests.values()):,}"),
        ("data density", f"{_density(seen):,.1f} tracks/s"),
    ]
    yield from table(facts, right=[1])
    yield ""
    yield from table([("table", "rows"), *((name, f"{n:,}") for name, n in seen.rows.items() if n)], right=[1])
    if seen.lists:
        yield ""
        yield from lists_table(seen)
    if seen.failures:
        yield ""
        failures = [("failures", "lists"), *((name, f"{n:,}") for name, n in seen.failures.items())]
        yield from table(failures, right=[1])


def lists_table(seen: Overview) -> Iterator[str]:
    """Write how many lists of each kind ended in which outcome, with what was claimed against fetched."""
    outcomes = [o.value for o in Outcome if o.value in seen.outcomes]
    open_ones = any(k.todo or k.doing for k in seen.lists)
    header = ["lists", *outcomes, *(["open"] if open_ones else []), "claimed", "fetched"]
    rows = [header]
    for kind in seen.lists:
        row = [kind.kind, *(f"{kind.outcomes.get(o, 0):,}" for o in outcomes)]
        row += [f"{kind.todo + kind.doing:,}"] if open_ones else []
        rows.append([*row, f"{kind.claimed:,}", f"{kind.collected:,}"])
    return table(rows, right=range(1, len(header)))


def _headline(seen: Overview, stop_reason: str, nothing_to_do: bool, asked: Set[str]) -> str:
    """Say how it ended, for the seeds that were asked for; without any, for all of the file."""
    lost = [h.seed for h in seen.harvests if h.state == "failed" and (h.seed in asked or not asked)]
    found = any(h.state == "drained" and h.seed in asked for h in seen.harvests)
    if stop_reason in REASONS:
        done = f"Stopped by your {REASONS[stop_reason]}; everything so far is in the file"
    elif stop_reason != "drained":
        done = "Stopped; everything so far is in the file"
    elif seen.retryable_failures:
        done = "Harvest ended with gaps"
    elif lost and not found:
        return f"Nothing to go on with: a seed could not be resolved: {', '.join(lost)}"
    else:
        done = "Nothing to do: this harvest is complete" if nothing_to_do else "Harvest complete"
    titles = ", ".join(f"“{printable(h.title)}”" for h in seen.harvests if h.title)
    return (f"{done}: {titles}" if titles else f"{done}.") + "".join(f"\nNot resolved: {seed}" for seed in lost)


def _what_next(seen: Overview, path: Path, stop_reason: str, go_on: str) -> str:
    if stop_reason != "drained":
        return f"Go on with: {go_on} --cache-path {path}"
    if seen.retryable_failures:
        return (
            f"{seen.retryable_failures:,} lists failed; see them with: harvest failures --cache-path {path}\n"
            f"Try them again with: harvest retry --cache-path {path}"
        )
    return f"Explore it with: harvest sql --cache-path {path}\nLook at it with: harvest report --cache-path {path}"


def _exit_code(seen: Overview, stop_reason: str) -> int:
    if stop_reason in REASONS:
        return EXIT_BUDGET
    if stop_reason != "drained":
        return EXIT_INTERRUPTED
    return EXIT_FAILED_LISTS if seen.retryable_failures else 0


def _density(seen: Overview) -> float:
    return round(seen.rows["tracks"] / max(seen.seconds, 1), 1)
