"""The nouns: User, Track, Playlist, Comment, Task, Page. Frozen, without behaviour.

The things of the world are named tuples in the column order of their table, so that a page of them goes
to SQLite as it is. `None` means unknown, never zero. Times are UTC text, `2026-08-07T14:18:05Z`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, NamedTuple

from harvest.errors import StoreError

Row = tuple[int | float | str | None, ...]  # of a plug-in's list


class SeenAs(StrEnum):
    """How rich the richest sighting of a user or track was; the order is from rich to poor."""

    FULL = "full"
    LIST = "list"
    EMBEDDED = "embedded"


class Outcome(StrEnum):
    """How a list ended, one row each; the table `outcomes` is filled from this.

    `answered`: the service showed the list; `whole`: all of it, as far as can be told; `retryable`: asking again
    may help; `words`: the same in words; `failure`: the class of what is then written down in `failures`, if any.
    """

    answered: bool
    whole: bool
    retryable: bool
    words: str
    failure: str | None

    def __new__(
        cls, value: str, answered: bool, whole: bool, retryable: bool, words: str, failure: str | None = None
    ) -> Outcome:
        """Make a member that knows what it means."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.answered, member.whole, member.retryable = answered, whole, retryable
        member.words, member.failure = words, failure
        return member

    # value, answered, whole, retryable
    COMPLETE = "complete", True, True, False, "all that the service shows"
    CAPPED = "capped", True, False, False, "cut at our own bound"
    SHORT = "short", True, False, False, "ended early: the service claims more"
    LOOP = "loop", True, False, False, "went round in a circle"
    GONE = "gone", False, False, False, "the service knows it no more", "gone"
    FORBIDDEN = "forbidden", False, False, False, "the service shows it to nobody like us", "forbidden"
    WITHDRAWN = "withdrawn", False, False, False, "the service shows no list of this kind any more", "withdrawn"
    UNREADABLE = "unreadable", False, False, False, "the reply is not what it should be", "unexpected_reply"
    FAILED = "failed", False, False, True, "given up after several attempts"
    STALE = "stale", False, False, False, "stood still too long to go on, and begun anew"
    CAUGHT_UP = "caught_up", True, False, False, "read again as far as it was known"
    FORGOTTEN = "forgotten", False, False, False, "of something that was forgotten"
    PURGED = "purged", False, False, False, "older than was to be kept"


MOST = 10**15  # of anything that may be asked for or counted; SQLite holds whole numbers up to 2**63 - 1
DEEPEST = 1000
OURSELVES = "me"  # the address of the person who is signed in
LONGEST_DELAY = 3600.0  # seconds between two requests

# Which people to follow first: as listed; by lot; by number of followers, falling or rising; by lot, and from each
# of them one step at a time to another person.
ORDERS = ("newest", "random", "popular", "least-known", "walk")
BY_LOT = frozenset({"random", "walk"})  # around the seeds, every person listed has the same chance


@dataclass(frozen=True, slots=True)
class Limits:
    """What a harvest reads, what it may take at most, how deep it goes, and which people come first. Exact to the item.

    `read` names the lists that are read of whatever is visited, `seed_read` those read of a seed besides (None: what
    its kind is usually read with, but for those `without`). `via` are the lists of people that lead on. `caps` bound
    single kinds of lists, by name. `depth` None is what the kind of seed asks for. `until_new` ends a random sample
    around the seeds where less than this share of what the next person likes would be new. `control` are drawn by lot
    around each seed track among those that another order leaves out.
    """

    max_users: int = 1000  # people followed per track
    max_user_likes: int = 500  # edges kept of each one's likes
    max_listed: int = 20_000  # edges kept of each list of likers or reposters
    max_tracks: int = 100  # tracks visited per round, at most
    max_playlists: int = 100  # playlists of people opened per round, at most
    depth: int | None = None
    order: str = "newest"  # who is followed first, one of ORDERS
    sample_seed: int = 0  # of the lots drawn in random order
    read: tuple[str, ...] = ("likers", "reposters", "likes")
    seed_read: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    via: tuple[str, ...] = ("likes",)
    caps: tuple[tuple[str, int], ...] = ()
    until_new: float | None = None
    control: int = 0

    @property
    def controls(self) -> int:
        """People drawn by lot beside those that a rule chooses: none where all are drawn by lot."""
        return 0 if self.order in BY_LOT else self.control

    @classmethod
    def load(cls, text: str) -> Limits:
        """Read stored options: what is unknown is dropped, what is missing is as usual. Raises StoreError for what is
        nothing that `dump` has written.
        """
        try:
            stored = json.loads(text).items()
        except (ValueError, TypeError, AttributeError) as error:
            raise StoreError("The file holds options of a crawl that cannot be read.") from error
        types = {field.name: str(field.type) for field in fields(cls)}
        values = {name: _frozen(value) for name, value in stored if name in types}
        wrong = next((name for name, value in values.items() if not _is_of(types[name], value)), None)
        if wrong is not None:
            raise StoreError(f"The file holds options of a crawl that cannot be: {wrong} is {values[wrong]!r}.")
        return cls(**values)

    def dump(self) -> str:
        """Write them as they are stored."""
        return json.dumps(asdict(self))


def _is_of(declared: str, value: object) -> bool:
    """Say whether a value is of a type, as the fields of `Limits` declare theirs."""
    plain = {"int": int, "str": str, "tuple": tuple, "float": float}[declared.partition(" ")[0].partition("[")[0]]
    return (isinstance(value, plain) and not isinstance(value, bool)) or (value is None and declared.endswith("None"))


def _frozen(value: object) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value


class User(NamedTuple):
    """A SoundCloud account. Personal fields, the last five, stay None unless full profiles are asked for.

    From `username` on, columns are taken from the reply as they stand there, in the order of `WireUser`.
    """

    id: int
    permalink_url: str | None
    created_at: str | None
    followers_count: int | None
    followings_count: int | None
    track_count: int | None
    playlist_count: int | None
    likes_given_count: int | None
    reposts_given_count: int | None
    username: str | None
    avatar_url: str | None
    station_urn: str | None
    full_name: str | None
    city: str | None
    country: str | None
    description: str | None
    website: str | None
    seen_as: SeenAs


class Track(NamedTuple):
    """A track, without its tags; those travel beside it in `Page.tags`.

    From `duration_ms` on, columns are taken from the reply as they stand there, in the order of `WireTrack`.
    """

    id: int
    uploader_id: int | None
    permalink_url: str | None
    created_at: str | None
    release_date: str | None
    available_country_codes: str | None
    duration_ms: int | None
    playback_count: int | None
    likes_count: int | None
    reposts_count: int | None
    comment_count: int | None
    download_count: int | None
    downloadable: bool | None
    reveal_stats: bool | None
    title: str | None
    genre: str | None
    label_name: str | None
    isrc: str | None
    bpm: float | None
    key_signature: str | None
    metadata_artist: str | None
    license: str | None
    description: str | None
    artwork_url: str | None
    access: str | None
    sharing: str | None
    release: str | None
    purchase_url: str | None
    purchase_title: str | None
    waveform_url: str | None
    station_urn: str | None
    seen_as: SeenAs


class Playlist(NamedTuple):
    """A playlist or album; its tracks are a list of their own. From `title` on, columns are named as in the reply."""

    id: int
    owner_id: int | None
    permalink_url: str | None
    created_at: str | None
    track_count: int | None
    likes_count: int | None
    duration_ms: int | None
    playlist_type: str | None
    title: str | None
    genre: str | None
    label_name: str | None
    sharing: str | None
    artwork_url: str | None
    description: str | None


class Station(NamedTuple):
    """A station, which the service calls a system playlist; its tracks are a list of their own.

    From `title` on, columns are named as in the reply.
    """

    id: int
    urn: str
    permalink_url: str | None
    updated_at: str | None
    track_count: int | None
    likes_count: int | None
    title: str | None
    description: str | None
    artwork_url: str | None


class Comment(NamedTuple):
    """A comment; `timestamp_ms` is its place in the track, None when it has none."""

    id: int
    track_id: int | None
    user_id: int | None
    created_at: str | None
    timestamp_ms: int | None
    body: str | None


class WebProfile(NamedTuple):
    """A link on a person's page. From `url` on, columns are named as in the reply."""

    id: int
    user_id: int
    created_at: str | None
    url: str
    service: str | None
    title: str | None
    username: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """One list to read, and how far it has been read. `kind` names a declaration in `lists.py`.

    `cursor` is the path and query of the page to ask next, None for the first page. `about` is what the subject is
    asked by where its number does not say it: the address of a seed, the URNs of a batch, the URN of a station. `cap`
    bounds the distinct edges to keep, None means all; `barren` counts the pages in a row, up to the last, that brought
    nothing new. A `head` reading ends where a whole page is known.
    """

    id: int
    kind: str
    subject_id: int
    cursor: str | None = None
    reading: int = 0
    page_number: int = 0
    barren: int = 0
    collected: int = 0
    claimed: int | None = None
    cap: int | None = None
    page_size: int = 200
    about: str | None = None
    head: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What committing a page came to: the list as it stands now, how many edges were new, how it ended if it did."""

    task: Task
    kept: int
    outcome: Outcome | None


class Plain(NamedTuple):
    """What a body is known to be: a list of so many public things, so many of them with a person inside, that tell no
    secret, and the address of the next page.
    """

    things: int
    people: int
    next_href: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """One reply, read: what it lists, what it told us on the way, and where the list goes on.

    `items` are the ids of the listed things in the order received, repeats included; null, alien and
    unreadable entries are left out and counted in `skipped`. `received` counts every entry of the reply;
    `thing` is set for a reply about one thing, the kind of thing it is.
    `next_cursor` is a path and query on the API host, None at the end of the list. `digest` is that of the body, which
    itself is carried along only where replies are kept, and with it what it is, where it is `plain`. `own_rows` are
    those of a plug-in's list: id, subject, its columns.
    """

    request: str
    items: tuple[int, ...]
    received: int
    thing: str | None = None
    skipped: int = 0
    next_cursor: str | None = None
    cursor_time: str | None = None
    users: dict[int, User] = field(default_factory=dict)
    tracks: dict[int, Track] = field(default_factory=dict)
    tags: dict[int, tuple[str, ...]] = field(default_factory=dict)
    playlists: dict[int, Playlist] = field(default_factory=dict)
    stations: dict[int, Station] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    links: dict[int, WebProfile] = field(default_factory=dict)
    own_rows: dict[int, Row] = field(default_factory=dict)
    unsupported_urns: tuple[str, ...] = ()
    fetched_at: str = ""
    elapsed_ms: int = 0
    size_bytes: int = 0
    digest: bytes = b""
    body: bytes | None = None
    plain: Plain | None = None


@dataclass(frozen=True, slots=True)
class Gauge:
    """What the asking side can tell of itself at any moment. `interval` is what lies between two requests, 0 for as
    fast as the service allows; `hold_reason` outlives the hold until a request is accepted again.
    """

    sent: int = 0
    in_flight: int = 0
    interval: float = 0.0
    hold_seconds: float = 0.0
    hold_reason: str | None = None
