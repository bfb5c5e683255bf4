"""What is said of the coverage of a sample: in lines, and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harvest.cli.output.formatting import counted
from harvest.estimates.richness import CORE
from harvest.store.samples import Judged

_SHOWN = 5  # seeds with lines of their own


def coverage_lines(judged: Sequence[Judged]) -> Iterator[str]:
    """Say what the samples have seen, or why nothing can be said."""
    for one in judged[:_SHOWN]:
        around = f"around track {one.track_id}: " if len(judged) > 1 else ""
        first, *more = _lines(one)
        yield f"  coverage  {around}{first}"
        yield from (f"            {line}" for line in more)
    if len(judged) > _SHOWN:
        yield f"            and of {counted(len(judged) - _SHOWN, 'more seed')}: see --json"


def _lines(judged: Judged) -> Iterator[str]:
    found, sample = judged.coverage, judged.sample
    if found is None or sample is None:
        yield f"no estimate: {judged.reason}"
        return
    if found.people == found.population:
        people = "1 person" if found.people == 1 else f"{found.people:,} people"
        yield f"all {people} listed, who like {counted(found.tracks, 'track')}"
        return
    yield f"{found.people:,} of {found.population:,} people, drawn by lot, like {counted(found.tracks, 'track')}"
    if found.new_share is None or found.low is None or found.high is None:
        yield "too few to say what the next person would add"
    else:
        yield (
            f"{found.new_share:.1%} of the next person's likes would be new ({found.low:.1%} to {found.high:.1%},"
            " 95 times in 100)"
        )
    yield (
        f"all {found.population:,} like at least {counted(found.tracks_at_least, 'track')}; of what {CORE} or more of"
        f" them like, at least {found.core_at_least:.0%} should be here"
    )
