"""What a harvested file must hold, to the last row: an oracle written from the design, not from the crawler. Pure.

Rules it follows:

1. A harvest lists all likers and reposters of its seed, at most `max_listed` each, and follows the first
   `max_users` of them: likers in list order, then reposters who are not among the listed likers. People who turn
   out to be gone count. Other orders than `newest` take the same people by lot (BLAKE2b of `seed:user`, eight bytes,
   smallest first), by most followers, or by fewest; unknown numbers last, ties by lower id.
2. Of each followed user it keeps the first `max_user_likes` likes. Nothing beyond a cap is stored at all.
3. Depth n + 1: the `max_tracks` tracks that most followed users of this harvest like (among the kept likes), not
   spilled before in this harvest, ties by lower id; each spills like the seed. Who is already followed counts
   towards `max_users` and is not read again.
4. Several seeds are several harvests; the file is their union.
5. Null entries are not stored and take no rank.
6. Outcomes: gone and forbidden by the reply; capped when there was or, judging by pages of `page_size`, may have
   been more; short when fewer are there than claimed by more than max(2, 10 %); else complete.
7. Users and tracks are merged from all sightings: nothing known is lost, a zero count in an embedded user is
   unknown, empty text is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from harvest.simulator.service.addresses import resolve
from harvest.simulator.service.objects import Json, Objects
from harvest.simulator.world.world import World

Row = dict[str, Any]
Edge = tuple[int, int, str]
Ranks = tuple[int | None, int | None]
Ended = tuple[str, int, int | None]

_COUNTS = {
    "followers_count": "followers_count",
    "followings_count": "followings_count",
    "track_count": "track_count",
    "playlist_count": "playlist_count",
    "likes_given_count": "public_favorites_count",
    "reposts_given_count": "reposts_count",
}
_STATS = {
    "playback_count": "playback_count",
    "likes_count": "favoritings_count",
    "reposts_count": "reposts_count",
    "comment_count": "comment_count",
    "download_count": "download_count",
}
_TEXTS = (
    "title",
    "genre",
    "label_name",
    "isrc",
    "key_signature",
    "metadata_artist",
    "license",
    "description",
    "artwork_url",
    "access",
    "sharing",
)


@dataclass(slots=True)
class Truth:
    """The expected content of a harvested file, by id.

    `engagements`: (user, track, 'like' | 'repost') -> (user_list_rank, track_list_rank). `users` and `tracks`:
    columns by name. `tags`: names per track. `lists`: (kind, subject) -> (outcome, collected, claimed).
    `followed` and `spilled`: per seed, whom and which tracks its harvest chose, in order.
    """

    engagements: dict[Edge, Ranks] = field(default_factory=dict)
    users: dict[int, Row] = field(default_factory=dict)
    tracks: dict[int, Row] = field(default_factory=dict)
    tags: dict[int, frozenset[str]] = field(default_factory=dict)
    lists: dict[tuple[str, int], Ended] = field(default_factory=dict)
    followed: dict[int, tuple[int, ...]] = field(default_factory=dict)
    spilled: dict[int, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits of a harvest; the defaults are those of the command line."""

    max_users: int = 1000
    max_user_likes: int = 500
    max_listed: int = 20_000
    max_tracks: int = 100
    depth: int = 1
    order: str = "newest"
    sample_seed: int = 0
    page_size: int = 200


def expect(world: World, seeds: Sequence[int | str] | int | str | None = None, **caps: Any) -> Truth:
    """Return what a harvest from these seeds (ids or page addresses; default: the hit) must hold."""
    wanted = [seeds] if isinstance(seeds, int | str) else list(seeds) if seeds is not None else [world.seed_url()]
    oracle = _Oracle(world, Caps(**caps))
    for seed in wanted:
        oracle.harvest(seed_id(world, seed))
    return oracle.truth


def seed_id(world: World, seed: int | str) -> int:
    """Return the track id of a seed given as id or page address."""
    if isinstance(seed, int):
        return seed
    found = resolve(world, seed)
    if found is None or found.thing != "track":
        raise KeyError(f"no track at {seed}")
    return world.id("track", found.index)


class _Oracle:
    """Collects the truth of one harvest after another."""

    def __init__(self, world: World, caps: Caps) -> None:
        self.truth = Truth()
        self._world = world
        self._caps = caps
        self._objects = Objects(world)
        self._likes: dict[int, tuple[int, ...]] = {}

    def harvest(self, seed: int) -> None:
        """Add one seed's harvest."""
        self._see_track(seed, "full")
        followed: dict[int, None] = {}
        spilled: dict[int, None] = {}
        level = [seed]
        for depth in range(self._caps.depth):
            if depth:
                level = self._most_liked(followed, spilled)
            for track in level:
                spilled[track] = None
                followed.update(dict.fromkeys(self._spill(track)))
        self.truth.followed[seed] = tuple(followed)
        self.truth.spilled[seed] = tuple(spilled)

    def _spill(self, track: int) -> list[int]:
        """List the people of a track and follow the first of them; return who was chosen."""
        likers = self._read("track_likers", track, self._caps.max_listed)
        reposters = self._read("track_reposters", track, self._caps.max_listed)
        for person in (*likers, *reposters):
            self._see_user(person, "list")
        chosen = self._in_order(dict.fromkeys((*likers, *reposters)))[: self._caps.max_users]
        for person in chosen:
            self._follow(person)
        return chosen

    def _in_order(self, people: Iterable[int]) -> list[int]:
        """Put people into the order in which they are followed."""
        order = self._caps.order
        if order == "newest":
            return list(people)
        if order == "random":
            seed = self._caps.sample_seed
            return sorted(people, key=lambda p: (blake2b(b"%d:%d" % (seed, p), digest_size=8).digest()[:8], p))
        sign = -1 if order == "popular" else 1
        fame = {person: self.truth.users[person]["followers_count"] for person in people}
        return sorted(fame, key=lambda p: (fame[p] is None, sign * (fame[p] or 0), p))

    def _follow(self, user: int) -> None:
        """Read a user's likes, once."""
        if user in self._likes:
            return
        self._likes[user] = self._read("user_likes", user, self._caps.max_user_likes)
        for track in self._likes[user]:
            self._see_track(track, "list")

    def _most_liked(self, followed: Iterable[int], spilled: Iterable[int]) -> list[int]:
        """Choose the tracks that spill next."""
        votes = Counter(track for user in followed for track in self._likes[user])
        for track in spilled:
            votes.pop(track, None)
        return sorted(votes, key=lambda track: (-votes[track], track))[: self._caps.max_tracks]

    def _read(self, kind: str, subject: int, cap: int) -> tuple[int, ...]:
        """Read one list up to its cap, keep its edges and how it ended."""
        listed = self._world.listing(kind, subject)
        kept = listed[:cap]
        self.truth.lists[kind, subject] = self._outcome(kind, subject, listed, cap)
        deed = "repost" if kind == "track_reposters" else "like"
        for rank, item in enumerate(kept):
            by_user = kind == "user_likes"
            edge = (subject, item, deed) if by_user else (item, subject, deed)
            old = self.truth.engagements.get(edge, (None, None))
            self.truth.engagements[edge] = (rank, old[1]) if by_user else (old[0], rank)
        return kept

    def _outcome(self, kind: str, subject: int, listed: tuple[int, ...], cap: int) -> Ended:
        """Say how a list ends, with what was collected and claimed."""
        claimed = self._claimed(kind, subject)
        if kind == "user_likes" and self._world.is_gone(subject):
            return "gone", 0, claimed
        if kind == "user_likes" and self._world.is_forbidden(subject):
            return "forbidden", 0, claimed
        collected = min(cap, len(listed))
        if len(listed) > cap or (len(listed) == cap and self._may_go_on(kind, subject, cap)):
            return "capped", collected, claimed
        short = claimed is not None and 10 * collected < 10 * claimed - max(20, claimed)
        return "short" if short else "complete", collected, claimed

    def _may_go_on(self, kind: str, subject: int, cap: int) -> bool:
        """Say whether nothing but null entries follows the last kept one, yet on a further page."""
        thing = "user" if kind == "user_likes" else "track"
        index = self._world.index(thing, subject)
        entries = self._world.deeds.entries(kind, index).items
        kept = [place for place, item in enumerate(entries) if not self._world.deeds.null(kind, index, item)][:cap]
        page_end = (kept[-1] // self._caps.page_size + 1) * self._caps.page_size if kept else self._caps.page_size
        return len(entries) > page_end

    def _claimed(self, kind: str, subject: int) -> int | None:
        """Return how long the service said the list is."""
        if kind == "user_likes":
            count: int | None = self.truth.users[subject]["likes_given_count"]
            return count
        column = "likes_count" if kind == "track_likers" else "reposts_count"
        said: int | None = self.truth.tracks[subject][column]
        return said

    def _see_user(self, user: int, seen_as: str) -> None:
        """Keep a sighting of a user."""
        known = self.truth.users.get(user)
        if known is not None and _RICHNESS[known["seen_as"]] >= _RICHNESS[seen_as]:
            return
        index = self._world.index("user", user)
        sight = self._objects.embedded_user(index) if seen_as == "embedded" else self._objects.user(index)
        row = user_row(sight, seen_as)
        self.truth.users[user] = row if known is None else _merged(known, row)

    def _see_track(self, track: int, seen_as: str) -> None:
        """Keep a sighting of a track, of its tags and of its uploader."""
        known = self.truth.tracks.get(track)
        if known is not None:
            if _RICHNESS[known["seen_as"]] < _RICHNESS[seen_as]:
                known["seen_as"] = seen_as
            return
        index = self._world.index("track", track)
        sight = self._objects.track(index)
        self.truth.tracks[track] = track_row(sight, seen_as)
        self.truth.tags[track] = frozenset(self._objects.tags_of(index))
        if sight["user"] is not None:
            uploader = number(sight["user"]["urn"])
            known_user = self.truth.users.get(uploader)
            self._see_user(uploader, "embedded")
            if known_user is not None:
                _fill(known_user, user_row(sight["user"], "embedded"))


_RICHNESS = {"embedded": 0, "list": 1, "full": 2}


def _merged(poor: Row, rich: Row) -> Row:
    """Return the richer sighting, gaps filled from the poorer one."""
    return {name: poor[name] if value is None else value for name, value in rich.items()}


def _fill(known: Row, sight: Row) -> None:
    """Fill the gaps of what is known from a poorer sighting."""
    for name, value in sight.items():
        if known[name] is None:
            known[name] = value


def number(urn: str) -> int:
    """Return the number at the end of a URN."""
    return int(urn.rsplit(":", 1)[-1])


def iso(stamp: str | None) -> str | None:
    """Turn the service's time, 2026/08/07 14:18:05 +0000, into 2026-08-07T14:18:05Z."""
    return f"{stamp[:10].replace('/', '-')}T{stamp[11:19]}Z" if stamp else None


def user_row(sight: Json, seen_as: str) -> Row:
    """Return the columns of a user from one sighting."""
    embedded = seen_as == "embedded"
    counts = {column: sight.get(name) for column, name in _COUNTS.items()}
    return {
        "username": sight["username"] or None,
        "permalink_url": sight["permalink_url"].split("?")[0],
        "avatar_url": sight["avatar_url"] or None,
        "created_at": iso(sight.get("created_at")),
        **{column: count or None if embedded else count for column, count in counts.items()},
        "seen_as": seen_as,
    }


def track_row(sight: Json, seen_as: str) -> Row:
    """Return the columns of a track from one sighting."""
    return {
        "uploader_id": number(sight["user"]["urn"]) if sight["user"] else None,
        "permalink_url": sight["permalink_url"].split("?")[0],
        "created_at": iso(sight["created_at"]),
        "duration_ms": sight["duration"],
        "bpm": sight["bpm"],
        "release_date": release_date(sight),
        **{name: sight[name] or None for name in _TEXTS},
        **{column: sight.get(name) for column, name in _STATS.items()},
        "seen_as": seen_as,
    }


def release_date(sight: Json) -> str | None:
    """Return the release date as far as it is known: year, year and month, or the whole day."""
    parts = []
    for name, width in (("release_year", 4), ("release_month", 2), ("release_day", 2)):
        if sight[name] is None:
            break
        parts.append(f"{sight[name]:0{width}d}")
    return "-".join(parts) or None
