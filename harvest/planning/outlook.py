"""What is known of a harvest before it is crawled, or crawled on: things, their lists, who comes next. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harvest.things import THINGS


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as far as it is known before it is read: what the service claims, what is seen, what the file holds.

    `claim` is counted, not claimed, where `counted` says so; `least` are entries that were seen.
    """

    claim: int | None = None
    least: int = 0
    counted: bool = False
    collected: int = 0
    read: bool = False


UNKNOWN = Listed()

Visit = Mapping[str, Listed]  # the lists of one thing, by kind


@dataclass(frozen=True, slots=True)
class Group:
    """Things of one kind that are visited in one round, at one depth, in their order."""

    visits: Sequence[Visit]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of one harvest.

    `rounds` are those whose visits are known for good, the seeds first, by kind of thing. `ahead` has who was seen of
    the rounds after them, first ones first. `look_ups` seeds are still to be looked up; `skipped` is the share of
    entries that bring nothing, as null or repeated ones.
    """

    rounds: Sequence[Mapping[str, Group]]
    ahead: Sequence[Mapping[str, Sequence[Visit]]] = ()
    look_ups: int = 0
    skipped: float = 0.0


def outlook_of(parts: Sequence[Outlook]) -> Outlook:
    """Put together what is known of the seeds of one harvest, each by itself."""
    if len(parts) == 1:
        return parts[0]
    ahead = [[*({t: g.visits for t, g in r.items()} for r in part.rounds[1:]), *part.ahead] for part in parts]
    return Outlook(
        rounds=[
            {t: Group(v) for t, v in _together([{t: g.visits for t, g in p.rounds[0].items()} for p in parts]).items()}
        ],
        ahead=[
            _together([levels[place] for levels in ahead if place < len(levels)])
            for place in range(max((len(levels) for levels in ahead), default=0))
        ],
        look_ups=sum(part.look_ups for part in parts),
        skipped=max((part.skipped for part in parts), default=0.0),
    )


def _together(levels: Sequence[Mapping[str, Sequence[Visit]]]) -> dict[str, Sequence[Visit]]:
    return {t: [visit for level in levels for visit in level.get(t, ())] for t in THINGS if any(t in v for v in levels)}
