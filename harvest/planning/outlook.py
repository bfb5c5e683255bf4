"""What is known of a harvest before it is crawled, or crawled on: things, their lists, who comes next. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
class Excerpt:
    """The beginning of a list that was read: whose it is, in which round, what it names, and whether that is all."""

    kind: str
    subject: int
    round: int
    items: Sequence[int]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Things of one kind that are visited in one round, at one depth, in their order; `others` are like those seen."""

    visits: Sequence[Visit]
    depth: int = 0
    others: int = 0

    @property
    def n(self) -> int:
        """How many they are."""
        return len(self.visits) + self.others


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of one harvest.

    `rounds` are those whose visits are known for good, the seeds first, by kind of thing. `ahead` has who was seen of
    the rounds after them, first ones first. So many pages (`look_ups`) and `urns` are seeds still to be looked up;
    `skipped` is the share of entries that bring nothing, as null or repeated ones.

    `excerpts` are lists of which something was read, `seen` what is known of things they name, by kind of thing and id,
    `owners` who uploaded tracks among them.
    """

    rounds: Sequence[Mapping[str, Group]]
    ahead: Sequence[Mapping[str, Sequence[Visit]]] = ()
    look_ups: int = 0
    urns: int = 0
    skipped: float = 0.0
    excerpts: Sequence[Excerpt] = ()
    seen: Mapping[str, Mapping[int, Visit]] = field(default_factory=dict)
    owners: Mapping[int, int] = field(default_factory=dict)


def outlook_of(seeds: Sequence[Outlook], *, of: int, look_ups: int, urns: int = 0) -> Outlook:
    """Put together what was found out about seeds, each by itself, of a harvest that has so many of them."""
    visits = _together([{t: group.visits for t, group in seed.rounds[0].items()} for seed in seeds])
    others = (of - len(seeds)) / len(seeds)
    return Outlook(
        rounds=[{thing: Group(seen, others=round(len(seen) * others)) for thing, seen in visits.items()}],
        ahead=[
            _together([seed.ahead[place] for seed in seeds if place < len(seed.ahead)])
            for place in range(max(len(seed.ahead) for seed in seeds))
        ],
        look_ups=look_ups,
        urns=urns,
        skipped=max(seed.skipped for seed in seeds),
        excerpts=[excerpt for seed in seeds for excerpt in seed.excerpts],
        seen={t: {k: v for seed in seeds for k, v in seed.seen.get(t, {}).items()} for t in THINGS},
        owners={track: owner for seed in seeds for track, owner in seed.owners.items()},
    )


def _together(levels: Sequence[Mapping[str, Sequence[Visit]]]) -> dict[str, Sequence[Visit]]:
    return {t: [visit for level in levels for visit in level.get(t, ())] for t in THINGS if any(t in v for v in levels)}
