"""Fill the tables of related tracks, people and artists."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import structlog

from harvest.analysis.methods import Choices
from harvest.analysis.plugged import analyses
from harvest.analysis.quality import Quality
from harvest.analysis.run import Analysis, Done, analyse
from harvest.cli.options.crawl import cache_path, json_option, log_options
from harvest.cli.options.framing import framing_option
from harvest.cli.options.types import Real, whole
from harvest.cli.output.formatting import duration
from harvest.cli.output.spinner import is_watched, spinner
from harvest.cli.output.table import table
from harvest.system.clock import SystemClock

_THINGS: dict[str, tuple[str, str | None]] = {
    "related_tracks": ("track", None),
    "track_communities": ("track", None),
    "user_similarity": ("list", None),
    "user_communities": ("person", "people"),
}
_ALL = analyses()
_NAMES = ", ".join(name if one.is_ours else f"{name} ({one.analysis.about})" for name, one in _ALL.items())


@click.command()
@cache_path()
@click.option(
    "--method",
    "methods",
    type=click.Choice([*_ALL, "all"]),
    multiple=True,
    metavar="NAME",
    help=f"What to compute, several times for several: {_NAMES}; or all.  "
    "[default: the cosines, all of artists, communities, and what is there already]",
)
@click.option(
    "--neighbours", type=click.IntRange(1, 1000), metavar="N", default=50, show_default=True, help="Kept of each."
)
@click.option(
    "--min-common",
    type=whole(1),
    metavar="N",
    default=3,
    show_default=True,
    help="What two must have in common at least.",
)
@click.option(
    "--newest",
    type=whole(1),
    metavar="N",
    default=1000,
    show_default=True,
    help="Likes that count of each person.",
)
@click.option(
    "--resolution",
    type=Real(0, 100, min_open=True),
    metavar="R",
    default=1.0,
    show_default=True,
    help="Of communities: above 1 more and smaller ones, below 1 fewer.",
)
@click.option("--include-incomplete", is_flag=True, help="Use lists of likes that are not whole, as far as read.")
@framing_option()
@click.option(
    "--memory",
    type=whole(1),
    metavar="MB",
    default=512,
    show_default=True,
    help="Maximum memory; communities need some 2 kB for each track.",
)
@click.option("--fresh", is_flag=True, help="Compute everything again, also what has not changed.")
@json_option()
@log_options
def analyze(
    path: Path,
    methods: tuple[str, ...],
    neighbours: int,
    min_common: int,
    newest: int,
    resolution: float,
    include_incomplete: bool,
    framing: str,
    memory: int,
    fresh: bool,
    as_json: bool,
) -> int:
    """Compute which tracks, people and artists belong together.

    Fills related_tracks, user_similarity and artist_relationships from the likes in the file, and groups tracks and
    people into communities. Run it again after the file has grown: only what changed is computed. Ctrl-C stops it, and
    the next run continues.

    \b
      harvest analyze
      harvest analyze --method colike_lift --method colike_npmi
    """
    chosen = tuple(_ALL) if "all" in methods else methods
    choices = Choices(neighbours, min_common, newest, include_incomplete, framing)
    began = time.monotonic()
    try:
        with _telling() as told:
            made = analyse(
                path,
                chosen,
                choices,
                clock=SystemClock(),
                memory_mb=memory,
                fresh=fresh,
                resolution=resolution,
                told=told,
            )
    except KeyboardInterrupt:
        click.echo("Stopped. Finished results are kept; run `harvest analyze` to continue.", err=True)
        return 130
    if as_json:
        click.echo(json.dumps(made.as_json()))
    else:
        click.echo("\n".join(_summary(made, path, choices, time.monotonic() - began)))
    return 0


def _summary(made: Analysis, path: Path, choices: Choices, seconds: float) -> Iterator[str]:
    people, likes = _several(made.people, "person", "people"), _several(made.likes, "like")
    yield f"{path}: {likes} of {people}, analysed in {duration(seconds)}."
    if made.lists_left_out:
        left_out = ", ".join(f"{n:,} {outcome}" for outcome, n in made.lists_left_out.items())
        yield f"Left out are lists of likes that are not whole: {left_out}."
        if sum(made.lists_left_out.values()) > made.people and not choices.include_incomplete:
            yield "That is most of them: mind it, or use them as far as they were read with --include-incomplete."
    if made.reason:
        yield made.reason
    yield ""
    methods = ((done.table, done.method, f"{done.pairs:,}", _computed(done)) for done in made.methods)
    yield from table([("table", "method", "rows", "computed"), *methods], right=[2])
    yield ""
    told = [_communities(done, done.communities) for done in made.methods if done.communities]
    yield from [*told, ""] if told else []
    yield "Ask with: harvest related TRACK, harvest similar USER, harvest sql communities"


def _computed(done: Done) -> str:
    if not done.pairs:
        return "none found"
    if done.computed is None:
        return "all"
    return _several(done.computed, *_THINGS.get(done.table, ("artist", None))) if done.computed else "nothing new"


def _communities(done: Done, found: Quality) -> str:
    """Say how good communities are, and whether to believe them."""
    things = _THINGS[done.table]
    if found.modularity is None or found.rand is None:
        return f"{done.method}: no two {things[1] or 'tracks'} are near each other, so there is no community."
    many = _several(found.communities, "community", "communities")
    return (
        f"{done.method}: {many} of {_several(found.things, *things)}; modularity {found.modularity:.3f},"
        f" agreement of {found.seeds} seeds {found.rand:.2f} (adjusted Rand, mean)."
    )


def _several(n: int, one: str, more: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else more or one + 's'}"


@contextlib.contextmanager
def _telling() -> Iterator[Callable[[str, float], None]]:
    """Show how far it is: beside a spinner on a terminal, as an event for each method elsewhere."""
    with spinner("likes") as tell:
        yield (lambda method, share: tell(f"{method}: {share:.0%}")) if is_watched() else _events()


def _events() -> Callable[[str, float], None]:
    """Tell of each method when it begins, and every half minute how far it is."""
    log = structlog.get_logger()
    last = [time.monotonic()]

    def tell(method: str, share: float) -> None:
        if share == 0 or time.monotonic() - last[0] > 30:
            last[0] = time.monotonic()
            log.info("analysis.at", method=method, done=f"{share:.0%}")

    return tell
