"""What is shown of what lies around a seed: its communities with their colours, the lines, the names. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvest.report.map_of_tracks import Dot, Map, map_of_tracks
from harvest.report.neighbourhood import Neighbourhood
from harvest.report.palette import GROUPS
from harvest.report.pictures import Drawing
from harvest.report.rows import NearTrack
from harvest.report.texts import shown

if TYPE_CHECKING:
    from harvest.analysis.groups import Grouped

STRONGEST = 2  # lines per track; with all of them nothing could be told apart
NAMED = 3  # tracks of each community in the table
LABELLED = 2  # of them in the picture
STANDS_OUT = 0.2  # the share of a community's tracks that makes a genre worth telling


@dataclass(frozen=True, slots=True)
class Community:
    """A community around a seed: its number, its colour, its tracks, the most typical of it first."""

    number: int
    colour: str
    tracks: list[NearTrack]

    @property
    def genre(self) -> tuple[str, int] | None:
        """Give the most frequent genre, and how many of the tracks are of it; None where none stands out."""
        counted = Counter(track.genre for track in self.tracks if track.genre)
        genre, n = min(counted.items(), key=lambda one: (-one[1], one[0]), default=("", 0))
        return (genre, n) if n >= max(NAMED, STANDS_OUT * len(self.tracks)) else None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A neighbourhood with its picture, None where there is none. `communities` are the coloured ones, the largest
    first; `smaller` counts the others, `plain` the tracks without a colour, `alone` those that are joined to none.
    """

    around: Neighbourhood
    drawing: Drawing | None
    communities: list[Community]
    smaller: int
    plain: int
    alone: int


def surroundings(around: Neighbourhood) -> Surroundings:
    """Say what is shown of what lies around a seed."""
    groups = around.groups
    if groups is None:
        return Surroundings(around, None, [], 0, 0, len(around.near))
    of = dict(zip(groups.places, groups.communities, strict=True))
    typical = _typical(around.near, of, groups.lines)
    members: dict[int, list[int]] = {}
    for place in sorted(of, key=lambda place: (-typical[place], place)):
        if of[place] >= 0:
            members.setdefault(of[place], []).append(place)
    ranked = sorted(members, key=lambda one: (-len(members[one]), one))
    coloured = dict(zip(ranked, GROUPS, strict=False))
    communities = [
        Community(number, colour, [around.near[place] for place in members[number]])
        for number, colour in coloured.items()
    ]
    plain = len(of) - sum(len(one.tracks) for one in communities)
    drawing = map_of_tracks(_map(around.near, groups, members, coloured))
    return Surroundings(around, drawing, communities, len(ranked) - len(communities), plain, len(around.near) - len(of))


def _typical(near: list[NearTrack], of: dict[int, int], lines: dict[tuple[int, int], float]) -> dict[int, float]:
    """Say of each track how typical of its community it is: how many like it, times the share of its lines' strength
    that stays inside. A track that all people like is joined to all, and stands between them.
    """
    inside, whole = dict.fromkeys(of, 0.0), dict.fromkeys(of, 0.0)
    for pair, score in lines.items():
        for place in pair:
            whole[place] += score
            inside[place] += score * (of[pair[0]] == of[pair[1]])
    return {place: round(near[place].common * inside[place] / whole[place], 9) for place in of}


def _map(near: list[NearTrack], groups: Grouped, members: dict[int, list[int]], coloured: dict[int, str]) -> Map:
    at = {place: number for number, place in enumerate(groups.places)}
    dots = [
        Dot(point, radius, coloured.get(community, "plain"), _told(near[place]))
        for place, community, point, radius in zip(
            groups.places, groups.communities, groups.points, groups.radii, strict=True
        )
    ]
    lines = {(at[one], at[other]): score for (one, other), score in strongest(groups.lines).items()}
    # The most typical of each come first: where there is no room for all names, the second ones are left out.
    named = [
        (at[place], f"{number} · {shown(near[place].title, 60)}", shown(near[place].artist, 40))
        for turn in range(LABELLED)
        for number in coloured
        for place in members[number][turn : turn + 1]
    ]
    numbers = [([at[place] for place in members[number]], str(number)) for number in coloured]
    return Map(dots, lines, named, numbers)


def _told(track: NearTrack) -> str:
    return f"{shown(track.title, 60)} by {shown(track.artist, 40)}: {track.common:,}"


def strongest(lines: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    """Choose the lines that are drawn: for each track its nearest few."""
    own: dict[int, list[tuple[float, tuple[int, int]]]] = {}
    for pair, score in lines.items():
        for place in pair:
            own.setdefault(place, []).append((-score, pair))
    return {pair: -minus for each in own.values() for minus, pair in sorted(each)[:STRONGEST]}
