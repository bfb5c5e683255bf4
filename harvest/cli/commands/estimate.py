"""Estimate what all people listed around a seed are like, from those who were drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from harvest.cli.options.crawl import asked, cache_path, json_option, reading_log_options, reads
from harvest.cli.options.types import whole
from harvest.cli.output.table import table
from harvest.inference.estimate import estimate as answer
from harvest.inference.questions import BY, CAPPED, ESTIMATORS, GROUPS, LIKES, OF, PER, Answer, Question, Result
from harvest.store.database import open_to_read
from harvest.system.logs import printable


@click.command()
@cache_path()
@click.option(
    "--of",
    type=click.Choice(OF),
    metavar="WHAT",
    default=LIKES,
    show_default=True,
    help=f"What is estimated: {', '.join(OF)}.",
)
@click.option("--by", type=click.Choice(list(BY)), help="Group the liked tracks: of likes, their shares.")
@click.option(
    "--per",
    type=click.Choice(PER),
    default=PER[0],
    show_default=True,
    help="Whether each person counts the same, or each like.",
)
@click.option("--total", is_flag=True, help="The sum over all who are listed, instead of the mean.")
@click.option(
    "--estimator",
    type=click.Choice(ESTIMATORS),
    help="hajek: the weighted mean. ht: the weighted sum over N (Horvitz-Thompson). ratio, regression: by the likes "
    "claimed on all profiles.  [default: hajek; what stands on profiles is known]",
)
@click.option(
    "--capped",
    type=click.Choice(CAPPED),
    default=CAPPED[0],
    show_default=True,
    help="People whose list was cut: what their profile lets expect, what was read, or none of them.",
)
@click.option(
    "--track", "track_id", type=whole(1), metavar="ID", help="The seed, where people were drawn around several."
)
@click.option("--limit", "groups", type=whole(1), default=GROUPS, show_default=True, help="Groups shown at most.")
@click.option("--rake", is_flag=True, help="Weigh people so that they claim as many likes and followers as all listed.")
@click.option("--seed", type=whole(0), default=0, show_default=True, help="Another number, another bootstrap.")
@json_option()
@reading_log_options
@reads
def estimate(path: Path, as_json: bool, **asked_for: object) -> int:
    """Estimate means, shares and totals over all who are listed, from a random sample (`--sample`), with 95% intervals;
    means and shares over all who can be reached, from a walk (`--order walk`).

    States what an estimate is conditional on, and why there is none if people were not drawn at random. Formulas and
    assumptions: docs/sampling.md.

    \b
      harvest estimate                        tracks liked per person
      harvest estimate --by genre             the share of each genre
      harvest estimate --of plays --per like  plays of a liked track
      harvest estimate --total --estimator ratio
      harvest estimate --of followers
    """
    question = Question(**asked_for)  # type: ignore[arg-type]  # named as the options are
    with open_to_read(path) as connection:
        result = asked(answer, connection, question)
    click.echo(json.dumps(result.as_json()) if as_json else "\n".join(map(printable, _lines(result))))
    return 0


def _lines(result: Result) -> Iterator[str]:
    yield f"{result.words[:1].upper()}{result.words[1:]} ({result.estimator})"
    yield ""
    share = result.question.of == LIKES and result.question.by is not None and not result.question.total
    head = (result.question.by or "", "estimate", "95 % interval", "people", "design effect")
    yield from table([head, *(_row(one, share=share) for one in result.answers)], right=(1, 3, 4))
    yield ""
    yield from result.conditions


def _row(answer: Answer, *, share: bool) -> tuple[str, str, str, str, str]:
    found = answer.estimate
    shown = _percent if share else _number
    between = "unknown" if found.low is None or found.high is None else f"{shown(found.low)} to {shown(found.high)}"
    effect = "" if found.design_effect is None else f"{found.design_effect:.2f}"
    return (answer.group or "", shown(found.value), between, f"{found.people:,}", effect)


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _number(n: float) -> str:
    return f"{n:,.0f}" if abs(n) >= 1000 else f"{n:.4g}"
