"""What a crawl would cost: requests, time, rows, disk, each as an interval that should hold nine times in ten. Pure.

Rule 1. People seen on a page say themselves how many likes they gave, so their pages are counted, not guessed.
Rule 2. Who is not seen yet is taken to be like those who are, give or take the spread among them and a little more.
Rule 3. A profile counts playlists and hidden tracks as likes too, so a list is a little shorter than claimed.
Rule 4. How many reposters are also likers is not known before both lists are read: anything from none to all.
Rule 5. Beyond depth 1 nothing has been seen; the interval is wide, and says so.

In: what replies or the file say, and the limits. Out: a Plan. Never: a request, a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil, sqrt
from statistics import fmean, pstdev

from harvest.models import Limits

_Z = 1.645  # nine in ten of a normal distribution lie within so many standard deviations
_UNSEEN = 0.05  # who is not seen differs from who is by about so much
_PLAYLISTS = 0.97  # of what a profile counts as likes, so much is tracks that can be listed
_LEAST = 0.9
_HICCUPS = 0.02  # share of requests that have to be repeated, at most, while the service is well
_TOKEN_SECONDS = 3540
_TRACKS = (0.68, 0.93, 1.0)  # of n likes, n to this power are different tracks: at least, likely, at most
_UPLOADERS = (0.0, 0.3, 0.8)  # of the tracks, so many are by people not seen elsewhere
_TRACK_BYTES = (440, 480, 900)  # descriptions written by people are longer than the simulator's
_EDGE_BYTES, _USER_BYTES, _LIST_BYTES = 56, 280, 500


@dataclass(frozen=True, slots=True)
class Range:
    """At least, likely, at most."""

    low: float = 0.0
    likely: float = 0.0
    high: float = 0.0

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def times(self, low: float, likely: float | None = None, high: float | None = None) -> Range:
        """Multiply; one factor for all, or one for each."""
        return Range(
            self.low * low,
            self.likely * (low if likely is None else likely),
            self.high * (low if high is None else high),
        )

    def at_most(self, bound: float) -> Range:
        """Cut off what a bound forbids."""
        return Range(min(self.low, bound), min(self.likely, bound), min(self.high, bound))

    def whole(self) -> dict[str, int]:
        """Give it as whole numbers."""
        return {"low": int(self.low), "likely": round(self.likely), "high": ceil(self.high - 1e-9)}


def exactly(n: float) -> Range:
    """Give a range without doubt."""
    return Range(n, n, n)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose likes are to be read: how many the profile claims, and what of them the file holds already."""

    claim: int | None
    collected: int = 0
    read: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of one seed before it is crawled, or crawled on.

    `people` are those seen, in list order; `listed_all` says that there are no more likers. Counts are the service's
    own, None where hidden. `pages_held` of the two lists around the seed are in the file. `chosen` says that `people`
    are all who are to be followed, as the file knows them once both lists have been read.
    """

    likes_count: int | None
    reposts_count: int | None
    people: Sequence[Person] = ()
    listed_all: bool = False
    pages_held: int = 0
    chosen: bool = False
    extra: int = 0  # people to be followed beyond those chosen so far
    skipped: float = 0.0  # share of entries that bring nothing, as null or repeated ones


@dataclass(frozen=True, slots=True)
class Conditions:
    """How fast we may ask, and how much a page holds."""

    interval: float = 0.5  # seconds between two requests; 0: as fast as the service answers
    latency: float = 0.2
    max_in_flight: int = 32
    page_size: int = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """What a crawl would cost, and which of its caps would bite."""

    requests: Range
    seconds: Range
    rows: dict[str, Range]
    size_bytes: Range
    bites: list[str] = field(default_factory=list)
    deep: Range = field(default_factory=Range)  # the part of the requests that lies beyond depth 1


@dataclass(frozen=True, slots=True)
class _Around:
    """The lists around one seed: how many requests they take, and how many people they name."""

    requests: Range
    likers: Range
    reposters: Range
    people: Range


def estimate(outlooks: Sequence[Outlook], limits: Sequence[Limits], conditions: Conditions) -> Plan:
    """Estimate what it takes to crawl these seeds, each under its limits; what they share is not taken off."""
    requests, likes, people, deep = Range(), Range(), Range(), Range()
    bites: list[str] = []
    for seen, limit in zip(outlooks, limits, strict=True):
        around = _around(seen, limit, conditions.page_size)
        following, edges = _following(seen, around, limit, conditions.page_size)
        beyond = _beyond(around, following, limit, conditions.page_size)
        requests = requests + around.requests + following + beyond
        likes = likes + edges + _seed_edges(around, limit)
        people, deep = people + around.people, deep + beyond
        bites += _bites(seen, around, limit)
    seconds = _seconds(requests, conditions)
    tokens = Range(0, 1 + seconds.likely // _TOKEN_SECONDS, 2 + seconds.high // _TOKEN_SECONDS)
    requests = requests.times(1, 1, 1 + _HICCUPS) + (tokens if requests.high else Range())
    rows = _rows(likes, people, deep, requests, limits)
    return Plan(requests, _seconds(requests, conditions), rows, _bytes(rows, requests), bites, deep)


def _around(seen: Outlook, limits: Limits, size: int) -> _Around:
    """Work out the two lists around a seed."""
    n = len(seen.people)
    if seen.chosen:
        return _Around(Range(), Range(), Range(), exactly(n + seen.extra))
    likers = exactly(n) if seen.listed_all else _count(seen.likes_count, n, max(n, limits.max_listed))
    reposters = _count(seen.reposts_count, 0, min(limits.max_listed, max(likers.high, 1)))
    likers, reposters = likers.at_most(limits.max_listed), reposters.at_most(limits.max_listed)
    lists = _pages(likers, size) + _pages(reposters, size)
    asked = Range(*(max(pages - seen.pages_held, 0) for pages in _parts(lists)))
    fewer, more = min(likers.likely, reposters.likely), likers.likely + reposters.likely
    people = Range(max(likers.low, reposters.low), more - fewer / 2, likers.high + reposters.high)
    seed = 0 if seen.pages_held else 2
    return _Around(asked + exactly(seed), likers, reposters, people)


def _seed_edges(around: _Around, limits: Limits) -> Range:
    """Count the likes and reposts of the seed itself; whoever is followed has it in their own list as well."""
    again = min(around.likers.likely, limits.max_users)
    return Range(max(0.0, around.likers.low - again), around.likers.likely - again / 2, around.likers.high) + (
        around.reposters
    )


def _count(claimed: int | None, least: int, most: float) -> Range:
    if claimed is None:
        return Range(least, sqrt(max(least, 1) * max(most, 1)), most)
    return Range(max(least, claimed * _LEAST - 2), max(least, claimed), max(least, claimed * 1.01 + 1))


def _pages(items: Range, size: int) -> Range:
    return Range(*(max(1, ceil(n / size)) for n in (items.low, items.likely, items.high)))


def pages_of(person: Person, cap: float, size: int, share: float = 1.0) -> int:
    """Say how many requests a person's likes still take, if so much of the claim is there to be listed.

    `cap` is in entries to be read, which are more than the likes to be kept where some bring nothing.
    """
    if person.read:
        return 0
    left = min((person.claim or 0) * share, cap) - person.collected
    return max(1, ceil(left / size))


def _following(seen: Outlook, around: _Around, limits: Limits, size: int) -> tuple[Range, Range]:
    """Give requests and likes of those who are followed: the seen ones counted, the others by their average."""
    followed = around.people.at_most(limits.max_users)
    known = seen.people if seen.chosen else seen.people[: int(followed.low)]
    if not seen.chosen and limits.order != "newest" and around.people.high > limits.max_users:
        known = ()  # those seen are the newest, and not those who will be followed
    unseen = Range(*(max(0.0, n - len(known)) for n in (followed.low, followed.likely, followed.high)))
    if seen.chosen:
        unseen = exactly(seen.extra)
    cap = limits.max_user_likes
    sure = [person for person in (known or seen.people) if person.claim is not None or person.read]
    entries = cap / (1 - min(seen.skipped, 0.5))
    most = ceil(entries / size)
    shares = (_LEAST, _PLAYLISTS, 1.0)
    counted = [sum(pages_of(p, entries, size, share) for p in known) for share in shares]
    counted[2] += ceil(0.03 * sum(not p.read for p in known)) + sum(
        (most - 1) for p in known if p.claim is None and not p.read
    )
    edges = [sum(_likes_of(p, cap, share) for p in known) for share in shares]
    requests = _like_those([pages_of(p, entries, size, _PLAYLISTS) for p in sure], unseen, (1, most))
    likes = _like_those([_likes_of(p, cap, _PLAYLISTS) for p in sure], unseen, (0, cap))
    return Range(*counted) + requests, Range(*edges) + likes


def _likes_of(person: Person, cap: int, share: float) -> float:
    return 0 if person.read else max(0, min((person.claim or 0) * share, cap) - person.collected)


def _like_those(seen: Sequence[float], others: Range, bounds: tuple[float, float]) -> Range:
    """Sum something over others who are like those seen."""
    least, most = bounds
    if not others.high:
        return Range()
    if not seen:
        return Range(others.low * least, others.likely * (least + most) / 2, others.high * most)
    mean, spread, n = fmean(seen), pstdev(seen), len(seen)
    if n < 10:  # few say little about many
        spread = max(spread, (most - least) / 4)
    width = (others.high - others.low) / sqrt(12)
    doubt = sqrt(
        others.high * spread**2
        + (others.high * spread) ** 2 / n
        + (others.high * mean * _UNSEEN) ** 2
        + (mean * width) ** 2
    )
    likely = mean * others.likely
    low, high = min(likely - _Z * doubt, mean * others.low), max(likely + _Z * doubt, mean * others.high)
    return Range(max(low, 0.0), likely, min(high, others.high * most))


def _beyond(around: _Around, following: Range, limits: Limits, size: int) -> Range:
    """Bound what deeper levels take: each found track as little as two requests, or as much as the caps allow."""
    if limits.depth < 2:
        return Range()
    tracks = limits.max_tracks * (limits.depth - 1)
    per_person = ceil(limits.max_user_likes / size)
    most = 2 * ceil(limits.max_listed / size) + limits.max_users * per_person
    like_seed = around.requests.likely + following.likely / 2
    return Range(2 * tracks, tracks * max(2.0, min(like_seed, most)), tracks * most)


def _bites(seen: Outlook, around: _Around, limits: Limits) -> list[str]:
    """Say which caps would cut something off, and what that means."""
    said = []
    for count, who in ((seen.likes_count, "likers"), (seen.reposts_count, "reposters")):
        if count is not None and count > limits.max_listed:
            said.append(
                f"--max-listed {limits.max_listed:,} keeps the first {limits.max_listed:,} of {count:,} {who}, the "
                "newest ones; the list will be marked capped."
            )
    if around.people.likely > limits.max_users:
        said.append(_bias(around, limits))
    claims = [person.claim for person in seen.people if person.claim is not None]
    cut = sum(claim > limits.max_user_likes for claim in claims)
    if cut and limits.max_users:
        said.append(
            f"--max-user-likes {limits.max_user_likes:,} cuts the lists of about {cut / len(claims):.0%} of the people"
            " followed: their newest likes are kept."
        )
    return said


def _bias(around: _Around, limits: Limits) -> str:
    share = limits.max_users / max(around.people.likely, 1)
    if not limits.max_users:
        return "--max-users 0 follows nobody: the two lists around the track are all there will be."
    if limits.order == "random":
        return (
            f"--max-users {limits.max_users:,} follows a random {share:.0%} of the people, drawn from all of them; the"
            " chance of each is stored."
        )
    if limits.order != "newest":
        return f"--max-users {limits.max_users:,} follows about {share:.0%} of the people, the {limits.order} ones."
    return (
        f"--max-users {limits.max_users:,} follows about {share:.0%} of the people: likers come first, and the list"
        " runs newest first, so this is about the newest likers, not all of them. --sample N draws from all."
    )


def _seconds(requests: Range, conditions: Conditions) -> Range:
    """Say how long so many requests take, if the service never says stop."""
    if conditions.interval > 0:
        return requests.times(conditions.interval) + exactly(conditions.latency if requests.high else 0)
    each = conditions.latency / max(1, conditions.max_in_flight)
    return requests.times(each / 2, each, min(each * 4, conditions.latency))


def _rows(likes: Range, people: Range, deep: Range, requests: Range, limits: Sequence[Limits]) -> dict[str, Range]:
    """Say how many rows come with so many likes; what lies deeper is taken to be as rich per request."""
    shallow = Range(*(max(a - b, 1.0) for a, b in zip(_parts(requests), _parts(deep), strict=True)))
    grown = [1 + b / a for a, b in zip(_parts(shallow), _parts(deep), strict=True)]
    grown = list(accumulate(grown, max))
    likes, people = likes.times(*grown), people.times(*grown)
    tracks = Range(*(n**power if n > 1 else n for n, power in zip(_parts(likes), _TRACKS, strict=True)))
    users = people + tracks.times(*_UPLOADERS)
    return {"users": users, "tracks": tracks, "likes and reposts": likes}


def _parts(number: Range) -> tuple[float, float, float]:
    return number.low, number.likely, number.high


def _bytes(rows: dict[str, Range], requests: Range) -> Range:
    return (
        rows["tracks"].times(*_TRACK_BYTES)
        + rows["likes and reposts"].times(_EDGE_BYTES)
        + rows["users"].times(_USER_BYTES)
        + requests.times(_LIST_BYTES)
        + exactly(200_000)
    )
