"""Gather what a report says, in one look at the file.

In: a connection opened to read. Out: ReportFacts, a few hundred rows however large the file is. Never: a write to the
file; two working tables stand in SQLite's temporary database, which is another one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from harvest.analysis.methods import COMMUNITIES
from harvest.analysis.quality import Quality, quality
from harvest.api.seed_urls import public_address
from harvest.citing.facts import facts
from harvest.citing.methods import methods
from harvest.inference.bias import Bias, biases
from harvest.report.changed import SinceLast, since_last
from harvest.report.missing import TableGaps, gaps
from harvest.report.neighbourhood import Neighbourhood, neighbourhood
from harvest.report.others import MostNamed, SeedLists, most_named, seed_lists
from harvest.report.rows import (
    Artist,
    Brought,
    Bucket,
    Failure,
    HeardTotals,
    Level,
    Liked,
    ListsEnded,
    Placed,
    Requests,
    Run,
    RunsTogether,
    SampleRow,
    SeedRow,
    Theme,
    Totals,
)
from harvest.report.scatter import scatter
from harvest.report.spread import Spread
from harvest.report.statements import query
from harvest.store.failures import retryable_lists
from harvest.store.samples import Judged, coverages
from harvest.terms import is_made_up

TOP = 12  # rows of the tables of tracks, artists, genres and tags
DRAWN = 4  # seeds that get a picture; the page says so when there are more
RUNS = 20  # runs shown one by one

Row = TypeVar("Row", bound=NamedTuple)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """All that the page shows. `readers` are the people whose likes were read, in part or whole; `retryable` the lists
    that failed and may be tried again; `last_run` is empty where there was one run; `genre_scatter` and `tag_scatter`
    say, by folded names, how far people are from the shares; `judged` is how much of what people like the samples have
    seen, `biases` how those followed differ from all listed, `methods` how the file was made, in sentences.
    """

    file_name: str
    totals: Totals
    seeds: list[SeedRow]
    ledger: list[ListsEnded]
    gaps: list[TableGaps]
    since_last: SinceLast | None
    last_run: list[Brought]
    readers: int
    heard: HeardTotals
    tracks: list[Liked]
    own_tracks: list[Liked]
    own_least: int
    artists: list[Artist]
    genres: list[Theme]
    tags: list[Theme]
    genre_scatter: dict[str, float]
    tag_scatter: dict[str, float]
    communities: list[Placed]
    community_quality: Quality | None
    likes_per_person: list[Bucket]
    likes_claimed: list[Bucket]
    likers_per_track: list[Bucket]
    likers_counted: list[Bucket]
    samples: dict[int, list[SampleRow]]
    judged: list[Judged]
    biases: list[Bias]
    methods: list[str]
    levels: list[Level]
    seed_lists: list[SeedLists]
    most_named: list[MostNamed]
    neighbourhoods: list[Neighbourhood]
    failures: list[Failure]
    retryable: int
    runs: list[Run]
    runs_together: RunsTogether
    requests: list[Requests]
    last_at: str | None

    @property
    def found_seeds(self) -> list[SeedRow]:
        """Give the seeds that could be looked up, each once; the others led to no people."""
        return _found(self.seeds)

    @property
    def went_on(self) -> bool:
        """Say whether people were, or are to be, chosen around other tracks than the seeds."""
        return any(level.depth > 1 and level.kind in ("track_likers", "track_reposters") for level in self.levels)

    @property
    def simulated(self) -> bool:
        """Say whether the data are invented: crawled from a simulated SoundCloud."""
        return is_made_up(self.runs_together.api_url or "")


def gather(connection: sqlite3.Connection, file_name: str, tell: Tell = lambda step: None) -> ReportFacts:
    """Read everything in one transaction, so that the numbers belong together; a crawl may go on meanwhile.

    `tell` hears what is being done. Raises sqlite3.Error.
    """
    with _one_moment(connection):
        tell("reading the ledger")
        seeds = [_public(seed) for seed in _rows(connection, "seeds", SeedRow)]
        ledger = _rows(connection, "ledger", ListsEnded)
        tell("looking for what is not known")
        unknown = gaps(connection)
        tell("counting the likes of every track")
        connection.execute(query("heard"))
        heard = _rows(connection, "heard_totals", HeardTotals)[0]
        readers = _number(connection, "readers")
        least = max(3, readers // 50)
        tell("judging what the samples have seen")
        judged = coverages(connection)
        tell("comparing with SoundCloud's own counts")
        genres, tags = (_rows(connection, name, Theme, rows=TOP) for name in ("top_genres", "top_tags"))
        genre_scatter, tag_scatter = scatter(connection, genres, tags, heard)
        return ReportFacts(
            file_name=file_name,
            totals=_rows(connection, "totals", Totals)[0],
            seeds=seeds,
            ledger=ledger,
            gaps=unknown,
            since_last=since_last(connection),
            last_run=_rows(connection, "last_run", Brought),
            readers=readers,
            heard=heard,
            tracks=_rows(connection, "top_tracks", Liked, rows=TOP),
            own_tracks=_rows(connection, "own_tracks", Liked, rows=TOP, least=least),
            own_least=least,
            artists=_rows(connection, "top_artists", Artist, rows=TOP),
            genres=genres,
            tags=[_spelled(connection, tag) for tag in tags],
            genre_scatter=genre_scatter,
            tag_scatter=tag_scatter,
            communities=_rows(connection, "communities", Placed, rows=TOP),
            community_quality=quality(connection, COMMUNITIES[0]),
            likes_per_person=_rows(connection, "likes_per_person", Bucket),
            likes_claimed=_rows(connection, "likes_claimed", Bucket),
            likers_per_track=_rows(connection, "likers_per_track", Bucket),
            likers_counted=_rows(connection, "likers_counted", Bucket),
            samples=_samples(connection, seeds, tell),
            judged=judged,
            biases=biases(connection),
            methods=methods(facts(connection, judged)),
            levels=_rows(connection, "levels", Level),
            seed_lists=_seed_lists(connection, seeds, tell),
            most_named=most_named(connection, ledger, TOP),
            neighbourhoods=_neighbourhoods(connection, seeds, tell),
            failures=_rows(connection, "failures", Failure),
            retryable=retryable_lists(connection),
            runs=_rows(connection, "runs", Run, rows=RUNS),
            runs_together=_rows(connection, "runs_together", RunsTogether)[0],
            requests=_rows(connection, "requests", Requests),
            last_at=next((row[0] for row in connection.execute(query("last_page"))), None),
        )


@contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """Open a reading transaction with room for working tables; what is in the file stays as it is."""
    connection.execute("PRAGMA query_only = OFF")  # it forbids temporary tables too
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")  # takes the working tables away
        connection.execute("PRAGMA query_only = ON")


def _rows(connection: sqlite3.Connection, name: str, kind: type[Row], **parameters: Any) -> list[Row]:
    return [kind(*row) for row in connection.execute(query(name), parameters)]


def _number(connection: sqlite3.Connection, name: str, **parameters: Any) -> int:
    return int(connection.execute(query(name), parameters).fetchone()[0])


def _public(seed: SeedRow) -> SeedRow:
    return seed._replace(seed_url=public_address(seed.seed_url))


def _spelled(connection: sqlite3.Connection, tag: Theme) -> Theme:
    (name,) = connection.execute(query("tag_name"), {"folded": tag.name}).fetchone()
    return tag._replace(name=name)


def _samples(connection: sqlite3.Connection, seeds: list[SeedRow], tell: Tell) -> dict[int, list[SampleRow]]:
    tell("looking at who was followed")
    found = {
        seed.id: _rows(connection, "sample", SampleRow, harvest=seed.harvest_id, track=seed.seed_id)
        for seed in seeds
        if seed.seed_kind == "track" and seed.seed_id is not None
    }
    return {place: rows for place, rows in found.items() if rows}


def _seed_lists(connection: sqlite3.Connection, seeds: list[SeedRow], tell: Tell) -> list[SeedLists]:
    tell("looking at what other lists say")
    there = [seed for seed in _found(seeds) if seed.seed_id is not None and seed.seed_id > 0]  # below 0: forgotten
    return [seed_lists(connection, seed, TOP) for seed in there[:DRAWN]]


def _found(seeds: list[SeedRow]) -> list[SeedRow]:
    return list({(seed.seed_kind, seed.seed_id): seed for seed in seeds if seed.seed_id is not None}.values())


def _neighbourhoods(connection: sqlite3.Connection, seeds: list[SeedRow], tell: Tell) -> list[Neighbourhood]:
    tracks = list({seed.seed_id: seed for seed in seeds if seed.seed_kind == "track"}.values())
    found = []
    for place, seed in enumerate(tracks[:DRAWN], start=1):
        tell(f"finding what lies around seed {place} of {min(len(tracks), DRAWN)}")
        around = neighbourhood(connection, seed)
        found += [around] if around else []
    return found


def spreads(connection: sqlite3.Connection) -> tuple[Spread, Spread]:
    """Give how likes are spread over people and over tracks; counts every like. Raises sqlite3.Error."""
    with _one_moment(connection):
        connection.execute(query("heard"))
        return (
            Spread(_rows(connection, "likes_per_person", Bucket), _rows(connection, "likes_claimed", Bucket)),
            Spread(_rows(connection, "likers_per_track", Bucket), _rows(connection, "likers_counted", Bucket)),
        )
