"""What lies around each seed: a picture of the tracks most liked beside it, and the same as a table. Pure."""

from __future__ import annotations

import math

from harvest.report.facts import DRAWN, Facts, Neighbourhood
from harvest.report.palette import ARTISTS
from harvest.report.parts import Cell, by, key, paragraph, section, table
from harvest.report.pictures import Graph, Node, labelled_graph, numbered_graph
from harvest.report.rows import Near, Pair
from harvest.report.texts import count, share, shown
from harvest.report.tree import Element, Part, el

STRONGEST = 2  # lines per track; with all of them nothing could be told apart
LEAST_COMMON = 2


def neighbourhood(facts: Facts) -> Element:
    """Write the section."""
    content: list[Part] = []
    if not facts.neighbourhoods:
        content.append(
            paragraph("There is nothing to draw: no likes of people who like a seed track have been read yet.")
        )
    for place, around in enumerate(facts.neighbourhoods, start=1):
        content += _around(around, place, alone=len(facts.neighbourhoods) == 1)
    tracks = sum(seed.seed_kind == "track" and seed.seed_id is not None for seed in facts.seeds)
    if tracks > DRAWN:
        content.append(paragraph(f"The first {DRAWN} of {tracks:,} seed tracks are drawn."))
    return section("around", "What lies around the seed" if tracks < 2 else "What lies around the seeds", *content)


def _around(around: Neighbourhood, place: int, *, alone: bool) -> list[Part]:
    seed = shown(around.seed.name, 60)
    colours = artist_colours(around.near)
    links = strongest(around)
    nodes = [
        Node(n, shown(near.title, 60), shown(near.artist, 40), near.common, colours.get(near.artist_id, "plain"))
        for n, near in enumerate(around.near, start=1)
    ]
    graph = Graph(seed, nodes, links)
    first = nodes[0]
    told = (
        f"{len(nodes)} tracks around “{seed}”. Nearest the middle is “{first.title}”, liked by {first.common:,} of "
        f"{count(around.people, 'person', 'people')}. {count(len(links), 'line')} between tracks that are liked by "
        "the same "
        "people. The table below says the same."
    )
    heading = [] if alone else [el("h3", "Around “", el("bdi", seed), "”")]
    title = f"Tracks most liked by people who like “{seed}”"
    return [
        *heading,
        paragraph(
            f"Of the {around.people:,} people who like “",
            el("bdi", seed),
            "” and whose likes were read, ",
            f"{first.common:,} also like “",
            el("bdi", first.title),
            "”: ",
            f"{share(first.common, around.people)}. ",
            "The larger a circle and the nearer the middle, the more of them like the track. A line joins tracks "
            "that are liked "
            "by the same ones among them. These are counts: a track that everybody likes stands near every seed.",
        ),
        el(
            "figure",
            labelled_graph(f"around-{place}", title, told, graph),
            numbered_graph(f"around-{place}-small", title, told, graph),
            el("figcaption", _legend(around.near, colours)),
        ),
        _table(around, links, place),
    ]


def artist_colours(tracks: list[Near]) -> dict[int | None, str]:
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


def _cosine(pair: Pair, near: list[Near], places: dict[int, int]) -> float:
    one, other = near[places[pair.one]].common, near[places[pair.other]].common
    return round(pair.common / math.sqrt(one * other), 9)  # rounded, so that ties are ties everywhere


def _ordered(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def _legend(tracks: list[Near], colours: dict[int | None, str]) -> Element:
    names = {track.artist_id: shown(track.artist, 40) for track in tracks}
    entries = [(colour, names[artist]) for artist, colour in colours.items()]
    others = len({track.artist_id for track in tracks}) - len(colours)
    return key(*entries, *([("plain", f"{others} other artists")] if others > 0 else []))


def _table(around: Neighbourhood, links: dict[tuple[int, int], float], place: int) -> Element:
    joined: dict[int, list[int]] = {n: [] for n in range(len(around.near))}
    for one, other in links:
        joined[one].append(other + 1)
        joined[other].append(one + 1)
    columns = [("No.", "number"), ("Track", "wide"), ("People", "number"), ("Share", "number"), ("Joined to", "")]
    rows: list[tuple[Cell, ...]] = [
        (
            n + 1,
            by(near.title, near.url, near.artist, near.artist_url),
            near.common,
            share(near.common, around.people),
            ", ".join(map(str, sorted(joined[n]))) or "–",
        )
        for n, near in enumerate(around.near)
    ]
    return table(
        f"near-{place}",
        "The same as a table",
        columns,
        rows,
        f"Share: of the {around.people:,} people. Joined to: the numbers of the tracks a line leads to.",
    )
