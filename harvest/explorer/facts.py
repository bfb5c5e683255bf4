"""Gather what the page shows of a file: tracks in columns, pairs of them, and the sentence for each pair. Reads only.

In: a connection opened to read. Out: plain values for JSON, lists of equal length by column, places instead of ids.
Never: who likes what, unless that is asked for.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from typing import Any

from harvest.analysis.formulas import score
from harvest.analysis.layout import SIDE, place
from harvest.analysis.reasons import CHOSEN, like_both
from harvest.api.seed_urls import public_address
from harvest.explorer.asked import Asked
from harvest.explorer.graph import NO_COMMUNITY, Graph, choices_of, read_graph
from harvest.export.playlists import address_of
from harvest.report.texts import link_target, shown

TAGS = 8  # of each track
SEEDS = 12  # that one can filter by
FANS = 10  # of each track, where people are named

SITE = "https://soundcloud.com/"

Tell = Callable[[str], None]


def gather(connection: sqlite3.Connection, name: str, asked: Asked, tell: Tell = lambda step: None) -> dict[str, Any]:
    """Give what a page shows, as of one moment. Raises SettingsError, with the reason, where there is nothing.

    The same file gives the same answer.
    """
    connection.row_factory = None
    connection.execute("BEGIN")
    try:
        return _gather(connection, name, asked, tell)
    finally:
        connection.execute("ROLLBACK")


def _gather(connection: sqlite3.Connection, name: str, asked: Asked, tell: Tell) -> dict[str, Any]:
    choices = choices_of(connection, asked.framing, include_incomplete=asked.include_incomplete)
    seeds = _rows(connection, "seeds", most=SEEDS)
    tracks = [seed[1] for seed in seeds if seed[0] == "track"]
    graph = read_graph(connection, asked.tracks, choices, tracks, tell)
    tell("placing tracks")
    points, radii = place(graph.ids, graph.communities, graph.one, graph.other, graph.score, graph.sizes)
    tell("reading what they are called")
    ids = json.dumps(graph.ids.tolist())
    told = _told(_rows(connection, "tracks", ids=ids), graph)
    told |= {"x": points[:, 0].tolist(), "y": (SIDE - points[:, 1]).tolist(), "r": radii.tolist()}
    (last_at,) = connection.execute("SELECT (SELECT fetched_at FROM pages ORDER BY id DESC LIMIT 1)").fetchone()
    (all_seeds,) = connection.execute("SELECT count(*) FROM seeds WHERE thing_id IS NOT NULL").fetchone()
    return {
        "file": name,
        "last_at": last_at,
        "people": graph.people,
        "liked": graph.liked,
        "as_analysed": graph.as_analysed,
        "side": SIDE,
        "site": SITE,
        "tracks": told,
        **_tags(_rows(connection, "tags", ids=ids, most=TAGS), len(graph.ids)),
        "communities": _communities(graph, told["genre"], told["genres"]),
        "pairs": _pairs(graph),
        "seeds": [_seed(connection, seed, graph) for seed in seeds],
        "all_seeds": all_seeds,
        "fans": _fans(_rows(connection, "fans", ids=ids, most=FANS), len(graph.ids)) if asked.people else None,
    }


def _rows(connection: sqlite3.Connection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    sql = resources.files("harvest.explorer").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    return connection.execute(sql, values).fetchall()


def _told(rows: Sequence[tuple[Any, ...]], graph: Graph) -> dict[str, Any]:
    """Give the columns of the tracks; what comes again and again stands once, in a list of its own."""
    titles, artists, urls, lengths, genres, tempos, days, likes = map(list, zip(*rows, strict=True))
    ids = graph.ids.tolist()
    addresses = [address_of(url, number) for url, number in zip(urls, ids, strict=True)]
    names, artist = _once(artists)
    genre_names, genre = _once([shown(text) if text else None for text in genres])
    return {
        "id": ids,
        "title": titles,
        "shown": {n: text for n, title in enumerate(titles) if (text := _fit(title, f"track {ids[n]}")) != title},
        "artists": names,
        "shown_artists": {n: text for n, name in enumerate(names) if (text := _fit(name, "")) != name},
        "artist": artist,
        "address": [_short(address) for address in addresses],
        "unlinked": [n for n, url in enumerate(urls) if link_target(url) is None],
        "ms": lengths,
        "genres": genre_names,
        "genre": genre,
        "bpm": tempos,
        "uploaded": days,
        "likes": likes,
        "fans": graph.sizes.tolist(),
        "community": graph.communities.tolist(),
        "frames": [n for n, frame in enumerate(graph.frames.tolist()) if frame],
    }


def _short(address: str) -> str:
    """Leave out where an address begins, as nearly all do."""
    rest = address.removeprefix(SITE)
    return address if "://" in rest else rest


def _fit(text: str | None, otherwise: str) -> str:
    return shown(text) if text and text.strip() else otherwise


def _once(values: Iterable[str | None]) -> tuple[list[str], list[int | None]]:
    """Give each value once, and the place of each; None has none."""
    places: dict[str, int] = {}
    found = [None if value is None else places.setdefault(value, len(places)) for value in values]
    return list(places), found


def _tags(rows: Iterable[tuple[int, str]], n: int) -> dict[str, Any]:
    of: list[list[int]] = [[] for _ in range(n)]
    names: dict[str, int] = {}
    for number, name in rows:
        of[number].append(names.setdefault(shown(name, 40), len(names)))
    return {"tag_names": list(names), "tags": of}


def _communities(graph: Graph, genre: Sequence[int | None], names: Sequence[str]) -> list[dict[str, Any]]:
    """Name each community by the genre most of its tracks have, the largest first; a second one tells equals apart."""
    members: dict[int, list[int]] = {}
    for number, community in enumerate(graph.communities.tolist()):
        if community != NO_COMMUNITY:
            members.setdefault(community, []).append(number)
    told: list[dict[str, Any]] = []
    for community in sorted(members, key=lambda one: (-len(members[one]), one)):
        counted = Counter(found for number in members[community] if (found := genre[number]) is not None)
        common = [names[place] for place, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:2]]
        name = next((text for text in (common[:1], common) if text and not _named(told, ", ".join(text))), common)
        told.append({"number": community, "name": ", ".join(name), "tracks": len(members[community])})
    return told


def _named(told: Sequence[dict[str, Any]], name: str) -> bool:
    return any(one["name"] == name for one in told)


def _pairs(graph: Graph) -> dict[str, Any]:
    """Give the pairs, the nearest first, and the sentence of each, which stands once."""
    sizes = graph.sizes.tolist()
    ends = zip(graph.one.tolist(), graph.other.tolist(), graph.common.tolist(), graph.by_service.tolist(), strict=True)
    said = [
        f"{common:,} people like both; {CHOSEN}"
        if by_service
        else like_both(common, score("lift", common, sizes[one], sizes[other], graph.people))
        for one, other, common, by_service in ends
    ]
    sentences, why = _once(said)
    return {
        "one": graph.one.tolist(),
        "other": graph.other.tolist(),
        "common": graph.common.tolist(),
        "score": [round(1000 * value) for value in graph.score.tolist()],
        "drawn": graph.drawn.nonzero()[0].tolist(),
        "sentences": sentences,
        "why": why,
    }


def _seed(connection: sqlite3.Connection, seed: tuple[Any, ...], graph: Graph) -> dict[str, Any]:
    """Give a seed's name and the places of the tracks it led to: of a track, what its fans like as well."""
    thing, thing_id, address, name = seed
    if thing == "track":
        places = graph.beside[thing_id].tolist()
    else:
        named = {row[0] for row in _rows(connection, "of_seed", thing=thing, thing_id=thing_id)}
        places = [number for number, track in enumerate(graph.ids.tolist()) if track in named]
    return {"name": shown(name or public_address(address)), "thing": thing, "tracks": places}


def _fans(rows: Iterable[tuple[int, int, str | None, str | None]], n: int) -> dict[str, Any]:
    """Give the names and pages of people, and who of them likes which track."""
    people: dict[int, tuple[int, str, str | None]] = {}
    of: list[list[int]] = [[] for _ in range(n)]
    for number, user_id, name, url in rows:
        known = people.setdefault(user_id, (len(people), _fit(name, f"user {user_id}"), link_target(url)))
        of[number].append(known[0])
    return {"names": [one[1] for one in people.values()], "pages": [one[2] for one in people.values()], "of": of}
