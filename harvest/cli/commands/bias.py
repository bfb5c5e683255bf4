"""Show how those who were followed differ from all people listed around a seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from harvest.cli.options.crawl import cache_path, json_option, reading_log_options, reads
from harvest.cli.output.spinner import patience
from harvest.cli.output.table import table
from harvest.estimates.balance import MATTERS
from harvest.inference.bias import MEASURES, Bias, biases
from harvest.store.database import open_to_read
from harvest.system.logs import printable


@click.command()
@cache_path()
@json_option()
@reading_log_options
@reads
def bias(path: Path, as_json: bool) -> int:
    """Compare the people followed, and those who answered, with all who are listed around each seed.

    Profiles are known for all of them, so this works however people were chosen. Differences are in standard
    deviations; formula and meaning: docs/sampling.md.

    \b
      harvest bias
      harvest estimate --rake       weights that take such differences away
    """
    with open_to_read(path) as connection, patience(connection, "comparing people"):
        found = biases(connection)
    if as_json:
        click.echo(json.dumps([one.as_json() for one in found]))
    elif found:
        click.echo("\n".join(printable(line) for one in found for line in _lines(one)).rstrip())
    else:
        click.echo("There are no people to compare: no seed is a track.")
    return 0


def _lines(bias: Bias) -> Iterator[str]:
    listed = f"{bias.listed:,} {'person is' if bias.listed == 1 else 'people are'} listed"
    control = f" Beside them {bias.control:,} others were drawn by lot." if bias.control else ""
    yield f"Around track {bias.track_id}: {listed}, {bias.followed:,} followed, {bias.answered:,} answered.{control}"
    yield ""
    if not bias.followed:
        return
    rows = [
        (
            MEASURES[one.measure].words + (", estimated" if one.estimated else ""),
            *map(_mean, (one.listed, one.followed, one.answered, one.control)),
            *map(_difference, (one.followed_difference, one.answered_difference, one.control_difference)),
        )
        for one in bias.compared
    ]
    head = ("mean of", "listed", "followed", "answered", "control", "followed differ", "answered differ", "control")
    shown = [place for place in range(len(head)) if bias.control or head[place] != "control"]
    yield from table([[row[place] for place in shown] for row in (head, *rows)], right=range(1, len(shown)))
    yield "The means are of the counts, the differences of their logarithms, in standard deviations; years as they are."
    yield ""
    off = [MEASURES[one.measure].words for one in bias.compared if abs(one.answered_difference or 0) > MATTERS]
    if off:
        yield f"Those who answered differ from all listed by more than {MATTERS} standard deviations: {', '.join(off)}."
    elif any(None not in (one.listed, one.answered) for one in bias.compared):
        yield f"Those who answered match all listed in their profiles: all within {MATTERS} standard deviations."
    else:
        yield "Whether those who answered match all listed is unknown: there is no number that both have."
    yield ""


def _mean(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.1f}"


def _difference(value: float | None) -> str:
    return "" if value is None else f"{value:+.2f}"
