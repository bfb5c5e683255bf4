"""What lies around a seed: the tracks most liked beside it, the lines between them, the colours of artists. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harvest.report.facts import Neighbourhood
from harvest.report.palette import ARTISTS
from harvest.report.pictures import Graph, Node
from harvest.report.rows import NearTrack, Pair
from harvest.report.texts import shown

STRONGEST = 2  # lines per track; with all of them nothing could be told apart
LEAST_COMMON = 2


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A neighbourhood with its graph. `artists` are those with a colour: (colour, name); `others` counts the rest."""

    around: Neighbourhood
    graph: Graph
    artists: list[tuple[str, str]]
    others: int

    @property
    def rows(self) -> list[tuple[NearTrack, list[int]]]:
        """Give each track with the numbers of those that a line joins it to."""
        joined: list[list[int]] = [[] for _ in self.around.near]
        for one, other in self.graph.links:
            joined[one].append(other + 1)
            joined[other].append(one + 1)
        return [(near, sorted(numbers)) for near, numbers in zip(self.around.near, joined, strict=True)]


def surroundings(around: Neighbourhood) -> Surroundings:
    """Make the graph of what lies around a seed."""
    colours = artist_colours(around.near)
    names = {track.artist_id: shown(track.artist, 40) for track in around.near}
    nodes = [
        Node(n, shown(near.title, 60), shown(near.artist, 40), near.common, colours.get(near.artist_id, "plain"))
        for n, near in enumerate(around.near, start=1)
    ]
    graph = Graph(shown(around.seed.name, 60), nodes, strongest(around))
    artists = [(colour, names[artist]) for artist, colour in colours.items()]
    return Surroundings(around, graph, artists, len(names) - len(colours))


def artist_colours(tracks: list[NearTrack]) -> dict[int | None, str]:
    """Give a colour to each of the artists who stand out: most tracks in the picture, then most people."""
    weights: dict[int, tuple[int, int]] = {}
    for track in tracks:
        if track.artist_id is not None:
            n, common = weights.get(track.artist_id, (0, 0))
            weights[track.artist_id] = (n + 1, common + track.common)
    ranked = sorted(weights, key=lambda artist: (-weights[artist][0], -weights[artist][1], artist))
    return {artist: f"artist{place}" for place, artist in enumerate(ranked[:ARTISTS], start=1)}


def strongest(around: Neighbourhood) -> dict[tuple[int, int], float]:
    """Choose the lines: for each track its nearest few by cosine, the people both share over the root of the product of
    each one's. Keys are places in `near`, the smaller first.
    """
    places = {near.track_id: place for place, near in enumerate(around.near)}
    strength = {
        _ordered(places[p.one], places[p.other]): _cosine(p, around.near, places)
        for p in around.pairs
        if p.common >= LEAST_COMMON
    }
    kept: dict[tuple[int, int], float] = {}
    for place in range(len(around.near)):
        own = sorted((pair for pair in strength if place in pair), key=lambda pair: (-strength[pair], pair))
        kept.update({pair: strength[pair] for pair in own[:STRONGEST]})
    return kept


def _cosine(pair: Pair, near: list[NearTrack], places: dict[int, int]) -> float:
    one, other = near[places[pair.one]].common, near[places[pair.other]].common
    return round(pair.common / math.sqrt(one * other), 9)  # rounded, so that ties are ties everywhere


def _ordered(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
