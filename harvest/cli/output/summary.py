"""What is said at the end of a crawl: numbers from the file, which add up; results on stdout."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

import click

from harvest.api.seed_urls import public_address
from harvest.cli.output.broken_pipe import leave_unread
from harvest.cli.output.formatting import duration, explore, quoted, told
from harvest.cli.output.gaps import gap_lines
from harvest.cli.output.table import table
from harvest.client.budget import REASONS
from harvest.errors import SeedError
from harvest.lists import KINDS
from harvest.models import Outcome
from harvest.store import in_memory
from harvest.store.database import open_to_read
from harvest.store.seeds import known
from harvest.store.status import Overview, SeedLook, overview
from harvest.system.logs import printable

EXIT_FAILED_LISTS = 6
EXIT_BUDGET = 7
EXIT_INTERRUPTED = 130
_SEEDS_SHOWN = 5


def show_summary(
    path: Path,
    seeds: Sequence[str],
    *,
    as_json: bool,
    stop_reason: str = "drained",
    nothing_to_do: bool = False,
    go_on: str = "harvest resume",
    further: Sequence[str] = (),
    results: Sequence[Mapping[str, object]] | None = None,
    brief: bool = False,
) -> int:
    """Print the summary of a file and give the exit code. Raises SeedError when a seed could not be resolved.

    `go_on` is the command that would take up what was interrupted, `further` are lines on how to go on from what is
    there. `results` stand in the JSON under that name; `brief` leaves the tables out.
    """
    with open_to_read(path) as connection:
        seen = overview(connection)
        forgotten = [public_address(seed) for seed, one in zip(seeds, known(connection, seeds), strict=True) if not one]
    gaps = tuple(gap for gap in seen.look.gaps if not (gap.once and nothing_to_do))
    seen = replace(seen, look=replace(seen.look, gaps=gaps))
    code = exit_code(stop_reason, bool(seen.look.retryable_failures or seen.look.gaps))
    asked = {public_address(seed) for seed in seeds}
    if as_json:
        numbers = as_numbers(seen) if results is None else {**as_numbers(seen), "results": results}
        where = None if in_memory.holds(path) else str(path)
        print_result(json.dumps({"path": where, "stop_reason": stop_reason, "exit_code": code, **numbers}))
    else:
        stays = not in_memory.holds(path)
        headline = _headline(seen, stop_reason, nothing_to_do, asked, forgotten, stays=stays)
        lines = [headline] if brief else summary_lines(seen, headline)
        print_result("\n".join([*lines, "", *(further if stays else ()), _what_next(seen, path, stop_reason, go_on)]))
    lost = [f"{seed.address} could not be resolved: {seed.reason}" for seed in _lost(seen, asked)]
    lost += [
        f"{address} leads to what was forgotten in this file, and is not asked for again." for address in forgotten
    ]
    if stop_reason == "drained" and lost:
        named = lost[:_SEEDS_SHOWN]
        more = len(lost) - len(named)
        raise SeedError("; ".join([*named, *([f"and {more:,} more."] if more else [])]))
    return code


def print_result(text: str) -> None:
    """Print the result of a crawl; an output that cannot be written does not change how the crawl ended."""
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
        api_calls=sum(seen.look.requests.values()),
        tracks_per_second=_density(seen),
    )
    return numbers


def summary_lines(seen: Overview, headline: str) -> Iterator[str]:
    """Write the summary that users of the predecessor know, and how the lists ended."""
    yield headline
    yield ""
    facts = [
        ("total time", duration(seen.look.seconds)),
        ("tracks", f"{seen.rows['tracks']:,}"),
        ("users", f"{seen.rows['users']:,}"),
        ("likes", f"{seen.look.standing.likes:,}"),
        ("reposts", f"{seen.look.standing.reposts:,}"),
        ("API calls", f"{sum(seen.look.requests.values()):,}"),
        ("data density", f"{_density(seen):,.1f} tracks/s"),
    ]
    yield from table(facts, right=[1])
    yield ""
    yield from table([("table", "rows"), *((name, f"{n:,}") for name, n in seen.told_rows.items())], right=[1])
    if seen.look.standing.outcomes:
        yield ""
        yield from lists_table(seen)
        yield from _cut(seen)
    if seen.look.failures:
        yield ""
        failures = [("failures", "lists"), *((name, f"{n:,}") for name, n in seen.look.failures.items())]
        yield from table(failures, right=[1])


def lists_table(seen: Overview) -> Iterator[str]:
    """Write how many lists of each kind ended in which outcome, with what was claimed against fetched."""
    kinds = [kind for kind in seen.look.standing.lists if not KINDS[kind.kind].looks_up]
    outcomes = [o.value for o in Outcome if o.value in seen.look.standing.outcomes]
    open_ones = any(kind.open for kind in kinds)
    header = ["lists", *outcomes, *(["open"] if open_ones else []), "claimed", "fetched"]
    rows = [header]
    for kind in kinds:
        row = [kind.kind, *(f"{dict(kind.outcomes).get(o, 0):,}" for o in outcomes)]
        row += [f"{kind.open:,}"] if open_ones else []
        rows.append([*row, told(kind.claimed), f"{kind.kept:,}"])
    return table(rows, right=range(1, len(header)))


def _cut(seen: Overview) -> Iterator[str]:
    """Say which lists a cap has cut, and how to read on."""
    found = ((KINDS[kind.kind].option, dict(kind.outcomes).get(Outcome.CAPPED, 0)) for kind in seen.look.standing.lists)
    cut = ", ".join(f"{name} ({n:,})" for name, n in found if n)
    if cut:
        yield ""
        yield f"  Cut by a cap: {cut}. Run again with a higher --cap NAME=N to go on there."


def _headline(
    seen: Overview, stop_reason: str, nothing_to_do: bool, asked: Set[str], forgotten: Sequence[str], *, stays: bool
) -> str:
    """Say how it ended, for the seeds that were asked for; without any, for all of the file, which `stays` or was in
    memory alone. Those that lead to what was forgotten stand in the file no more.
    """
    so_far = "; everything so far is in the file" if stays else ""
    lost = [*(seed.address for seed in _lost(seen, asked)), *forgotten]
    found = len(asked) > len(lost) or any(seed.thing for seed in _asked_for(seen, asked))
    if stop_reason in REASONS:
        done = f"Stopped by your {REASONS[stop_reason]}{so_far}"
    elif stop_reason != "drained":
        done = f"Stopped{so_far}"
    elif seen.look.retryable_failures or seen.look.gaps:
        done = "Harvest ended with gaps"
    elif lost and not found:
        return f"Nothing to go on with: a seed could not be resolved: {', '.join(_few(lost))}"
    elif _is_sated(seen, asked):
        done = "Sated: the sample has seen enough" + (", and nothing is to do" if nothing_to_do else "")
    else:
        done = "Nothing to do: this harvest is complete" if nothing_to_do else "Harvest complete"
    these = _asked_for(seen, asked) or _asked_for(seen, set())  # an alias stands under another address
    named = [seed.title for seed in these if seed.title]
    titles = ", ".join(f"“{printable(title)}”" for title in named[:_SEEDS_SHOWN])
    titles += f" and {len(named) - _SEEDS_SHOWN:,} more" if len(named) > _SEEDS_SHOWN else ""
    return (f"{done}: {titles}" if titles else f"{done}.") + "".join(f"\nNot resolved: {seed}" for seed in _few(lost))


def _is_sated(seen: Overview, asked: Set[str]) -> bool:
    """Say whether every harvest that was asked for ended where its sample had seen enough."""
    states = {
        harvest.state
        for harvest in seen.look.harvests
        if not asked or any(seed.address in asked for seed in harvest.seeds)
    }
    return states == {"sated"}


def _few(seeds: Sequence[str]) -> list[str]:
    """Name the first of many, and say how many more there are."""
    more = len(seeds) - _SEEDS_SHOWN
    return [*map(printable, seeds[:_SEEDS_SHOWN]), *([f"{more:,} more"] if more > 0 else [])]


def _asked_for(seen: Overview, asked: Set[str]) -> list[SeedLook]:
    """Give the seeds that were asked for; all of the file when none was."""
    seeds = (seed for harvest in seen.look.harvests for seed in harvest.seeds)
    return [seed for seed in seeds if not asked or seed.address in asked]


def _lost(seen: Overview, asked: Set[str]) -> list[SeedLook]:
    """Give those of them that could not be resolved."""
    return [seed for seed in _asked_for(seen, asked) if seed.reason and seed.thing is None]


def _what_next(seen: Overview, path: Path, stop_reason: str, go_on: str) -> str:
    if in_memory.holds(path):
        return "It was in memory alone: what is not exported is gone."
    if stop_reason != "drained":
        return f"Go on with: {go_on} --cache-path {quoted(path)}"
    return "\n".join(gap_lines(seen.look, path)) or explore(path)


def exit_code(stop_reason: str, has_gaps: bool) -> int:
    """Give the code that a crawl ends with, by why it stopped and whether it left gaps."""
    if stop_reason in REASONS:
        return EXIT_BUDGET
    if stop_reason != "drained":
        return EXIT_INTERRUPTED
    return EXIT_FAILED_LISTS if has_gaps else 0


def _density(seen: Overview) -> float:
    return round(seen.rows["tracks"] / max(seen.look.seconds, 1), 1)
