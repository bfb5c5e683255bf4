"""The rows a report is made of, each in the column order of its query. Frozen, without behaviour.

`claimed`, `likes_count` and `followers_count` are the service's own counts; None means that it did not say.
"""

from __future__ import annotations

from typing import NamedTuple


class Totals(NamedTuple):
    """What the file holds."""

    users: int
    tracks: int
    likes: int
    reposts: int
    pages: int


class SeedRow(NamedTuple):
    """One seed of one harvest: `place` 0 is the first of its `seeds`. `seed_kind` None: it could not be looked up."""

    id: int
    harvest_id: int
    place: int
    seeds: int
    seed_url: str
    seed_kind: str | None
    seed_id: int | None
    name: str | None
    url: str | None
    artist: str | None
    artist_url: str | None
    likes_count: int | None
    reposts_count: int | None
    state: str
    level: int
    reason: str | None
    options: str
    started_at: str
    finished_at: str | None


class ListsEnded(NamedTuple):
    """The lists of one kind with one outcome (or state, while open); `outcome` None: this kind was not asked for."""

    kind: str
    title: str
    outcome: str | None
    lists: int
    collected: int
    claimed: int | None
    collected_of_claimed: int
    missing: int
    without_claim: int
    longest: int = 0


class Placed(NamedTuple):
    """A track among the most liked of its community, and what the community is. `of_genre` is a share, 0 to 1."""

    community: int
    tracks: int
    likes: int
    genre: str | None
    of_genre: float | None
    title: str | None
    url: str | None
    artist: str | None
    artist_url: str | None


class HeardTotals(NamedTuple):
    """All tracks that the people followed like, frames left out. `counted_*`: those the service gives a count of."""

    tracks: int
    likes: int
    counted_tracks: int
    counted_likes: int
    likes_count: int
    most: int


class Liked(NamedTuple):
    """A track, how many of the people followed like it, and how many people do on SoundCloud."""

    track_id: int
    title: str | None
    url: str | None
    artist: str | None
    artist_url: str | None
    likes: int
    likes_count: int | None


class Artist(NamedTuple):
    """An uploader: tracks and likes of them here, different people behind these likes, followers on SoundCloud."""

    artist_id: int
    artist: str | None
    artist_url: str | None
    tracks: int
    likes: int
    people: int
    followers_count: int | None
    counted_likes: int
    likes_count: int | None


class Theme(NamedTuple):
    """A genre or tag: tracks and likes of them here, likes of the same tracks on SoundCloud. `folded` is its name
    without capitals, blanks, hyphens and underscores.
    """

    name: str
    tracks: int
    likes: int
    counted_likes: int
    likes_count: int | None
    folded: str


class Bucket(NamedTuple):
    """So many things (`n`) have this value, cut to two significant digits."""

    value: int
    n: int


class SampleRow(NamedTuple):
    """People listed around a seed, chosen or not, by what came of it."""

    chosen: int
    answer: str
    censored: int
    people: int
    mean_claimed: float | None
    claims: int
    least_chance: float | None
    most_chance: float | None
    with_chance: int
    by_lot: int


class Level(NamedTuple):
    """The lists of one kind on one level of a harvest, by how they ended."""

    harvest_id: int
    depth: int
    kind: str
    lists: int
    open: int
    complete: int
    capped: int
    short: int
    unanswered: int
    broken: int


class NearTrack(NamedTuple):
    """A track that people who like the seed like as well, with how many of them do."""

    track_id: int
    common: int
    title: str | None
    url: str | None
    artist_id: int | None
    artist: str | None
    artist_url: str | None
    likes_count: int | None
    genre: str | None


class Failure(NamedTuple):
    """What went wrong with lists of one kind, for one reason."""

    title: str
    failure_class: str
    status: int
    outcome: str
    retryable: int
    resolved: int
    lists: int
    attempts: int
    first_at: str
    last_at: str


class Run(NamedTuple):
    """One process that crawled into the file."""

    id: int
    started_at: str
    ended_at: str | None
    version: str
    api_url: str
    credential_kind: str
    stop_reason: str | None
    waited_ms: int
    requests: int


class Brought(NamedTuple):
    """What the last run brought of one kind of list: from so many lists, in so many pages, so many entries."""

    title: str
    lists: int
    pages: int
    kept: int


class RunsTogether(NamedTuple):
    """All runs of a file."""

    runs: int
    first_at: str | None
    services: int
    api_url: str | None
    waited_ms: int


class Requests(NamedTuple):
    """Requests by the status that came back; 0: no answer."""

    status: int
    n: int
