"""Ask the few requests that tell what a crawl would cost: a seed, and the first page of what it leads to.

A page is asked of the list that leads on, until people have been seen, whose lists are most of what a crawl reads; and
of each list of the seed whose length is unknown. Where nothing leads on, a page of a list of tracks shows whose
they are.

In: a seed, a client. Out: an Outlook. Never: a row, or a second page of any list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Protocol

from harvest.api.endpoints import redacted
from harvest.api.searches import SCHEME, read_search
from harvest.client.client import Client
from harvest.errors import ApiError, Blocked, PermanentError, SeedError, TransientError
from harvest.lists import KINDS, RESOLVE, ListKind
from harvest.models import Limits, Page, Playlist, Station, Task, Track, User
from harvest.planning.evidence import inverse_of, named_by
from harvest.planning.known import over
from harvest.planning.outlook import Excerpt, Group, Listed, Outlook, Visit
from harvest.rules import depth_of, leads_of, recipe
from harvest.things import THINGS, of_urn

_MOST_PAGES = 2  # of lists that lead on
_PEOPLE, _TRACKS = 4, 2  # whose lists are looked into besides, to see how much they have in common
_FEW = 0.03  # of those that a thing leads to, a list that names less is not looked into


class Holder(Protocol):
    """What a survey needs of a file."""

    def lists_of(self, thing: str, ids: Iterable[int], limits: Limits) -> Mapping[int, Visit]:
        """Tell what is held of the lists of things of one kind, by id."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What was found out about a seed, and how long a reply took on average."""

    thing: str
    thing_id: int
    title: str | None
    likes_count: int | None
    reposts_count: int | None
    outlook: Outlook
    latency: float


async def survey(
    client: Client, seed_url: str, limits: Limits, *, page_size: int, file: Holder | None = None, around: bool = True
) -> Surveyed:
    """Ask for a seed and where it leads; `file` says what of it is there already.

    With `around`, some lists of those it leads to are looked into, to see how much they have in common.
    Raises SeedError, Blocked, AuthError.
    """
    try:
        return await _Survey(client, limits, page_size, file, around=around).of(seed_url)
    except TransientError as error:
        raise Blocked(f"The service cannot answer for the seed ({error}): try again later.") from error
    except ApiError as error:
        raise SeedError(f"{redacted(seed_url)} cannot be planned for: {error}") from error


class _Survey:
    def __init__(self, client: Client, limits: Limits, page_size: int, file: Holder | None, *, around: bool) -> None:
        self._client, self._limits, self._size, self._file = client, limits, page_size, file
        self._around = around
        self._latencies: list[int] = []
        self._skipped = 0.0
        self._urn: str | None = None  # of the seed, where it does not end in its number
        self._excerpts: list[Excerpt] = []
        self._seen: dict[str, dict[int, Visit]] = {thing: {} for thing in THINGS}
        self._owners: dict[int, int] = {}

    async def of(self, seed_url: str) -> Surveyed:
        """Ask about one seed."""
        searched = read_search(seed_url) if seed_url.startswith(SCHEME) else None
        page = Page(seed_url, (), 0) if searched else await self._fetch(Task(0, RESOLVE.name, 0, about=seed_url))
        thing, thing_id = (searched.thing, searched.id) if searched else (str(page.thing), page.items[0])
        row = _rows(page, thing).get(thing_id)
        self._urn = searched.address if searched else getattr(row, "urn", None)
        held = self._file.lists_of(thing, [thing_id], self._limits) if self._file else {}
        visit = dict(over(self._visits(thing, [thing_id], page, seeds=True)[0], held.get(thing_id, {})))
        ahead: list[dict[str, Sequence[Visit]]] = []
        if depth_of(thing, self._limits) > 0:
            ahead = await self._ahead(thing, thing_id, visit)
        elif self._around:
            await self._whose_tracks(thing_id, visit)
        for name in visit:
            if KINDS[name].claimed is None and not visit[name].read and not (visit[name].counted or visit[name].least):
                await self._first_page(KINDS[name], thing_id, visit, 0)
        return Surveyed(
            thing,
            thing_id,
            getattr(row, THINGS[thing].label, self._urn),
            getattr(row, "likes_given_count" if thing == "user" else "likes_count", None),
            getattr(row, "reposts_given_count" if thing == "user" else "reposts_count", None),
            Outlook(
                [{thing: Group([visit])}],
                ahead,
                look_ups=int(not searched and of_urn(seed_url) is None),
                urns=int(of_urn(seed_url) is not None),
                skipped=self._skipped,
                excerpts=self._excerpts,
                seen=self._seen,
                owners=self._owners,
            ),
            fmean(self._latencies) / 1000,
        )

    async def _ahead(self, thing: str, thing_id: int, visit: dict[str, Listed]) -> list[dict[str, Sequence[Visit]]]:
        """See who comes next, and who after them, until people have been seen; then what some of these lead to."""
        levels: list[dict[str, Sequence[Visit]]] = []
        while len(levels) < _MOST_PAGES and not any("user" in level for level in levels):
            number = len(levels)
            way = next(leads_of(thing, self._limits), None)
            if way is None:
                break
            lead, kinds = way
            ids = await self._led_to(kinds, thing_id, visit, number)
            if lead.in_common and all(visit[kind.name].counted for kind in kinds if kind.name in visit):
                ids = sorted(ids)  # of one alone, who names each once, ties decide
            if not ids:
                break
            thing, seen = lead.to, self._seen[lead.to]
            held = self._file.lists_of(thing, ids, self._limits) if self._file else {}
            levels.append({thing: [over(seen[one], held.get(one, {})) for one in ids]})
            onward = next((kinds[0] for _, kinds in leads_of(thing, self._limits)), None)
            likely = _unlike([(one, seen[one]) for one in ids], onward.name, 2) if onward else []
            if not likely or onward is None:
                break
            if thing != "user" and self._around:
                for other in likely[1:]:
                    await self._first_page(onward, other, dict(seen[other]), number + 1)
            thing_id, visit = likely[0], dict(seen[likely[0]])
        if self._around and levels and "user" in levels[-1]:
            await self._look_around(len(levels))
        return levels

    async def _whose_tracks(self, thing_id: int, visit: dict[str, Listed]) -> None:
        """Read a page of the seed's longest list of others' tracks: it shows how many artists have made them."""
        lists = [KINDS[name] for name, listed in visit.items() if listed.claim and not listed.read]
        named = [kind for kind in lists if kind.item == "track" and kind.edge and not kind.edge.on_item]
        if named:
            longest = max(named, key=lambda kind: visit[kind.name].claim or 0)
            await self._first_page(longest, thing_id, visit, 0)

    async def _led_to(
        self, kinds: Sequence[ListKind], thing_id: int, visit: dict[str, Listed], number: int
    ) -> list[int]:
        """Read the beginnings of the lists that lead on, those that others make insignificant left out."""
        ids: dict[int, None] = {}
        claims = sum(visit[kind.name].claim or 0 for kind in kinds if kind.name in visit)
        for kind in kinds:
            claim = visit[kind.name].claim if kind.name in visit else 0
            if ids and (claim is None or claim <= max(_FEW * claims, 1)):
                continue
            page = await self._first_page(kind, thing_id, visit, number)
            ids.update(dict.fromkeys(_led_to(kind, page) if page else ()))
            if not visit[kind.name].counted:
                break  # what comes after the first page is unknown, and nothing from another list is next
        return list(ids)

    async def _look_around(self, number: int) -> None:
        """Read a page of what some of the people lead to, and of the people that some of that leads to in turn."""
        for way, most in (("user", _PEOPLE), ("track", _TRACKS)):
            kinds = [line.kind for line in recipe(self._limits) if line.kind.subject == way and not line.seeds_only]
            listed = next((kind for kind in kinds if inverse_of(kind) is not None), None)
            if listed is None or (way == "track" and not self._goes_around(number)):
                return
            asked = {one.subject for one in self._excerpts}
            for one in _unlike(
                [(one, visit) for one, visit in self._seen[way].items() if one not in asked], listed.name, most
            ):
                await self._first_page(listed, one, dict(self._seen[way][one]), number)
            number += 1

    def _goes_around(self, number: int) -> bool:
        """Say whether people lead on to tracks."""
        return depth_of("user", self._limits) > 1 and any(
            lead.to == "track" for lead, _ in leads_of("user", self._limits)
        )

    async def _first_page(self, kind: ListKind, thing_id: int, visit: dict[str, Listed], number: int) -> Page | None:
        """Ask for the beginning of a list, and note what it shows; None where the service refuses it."""
        try:
            urn = self._urn if THINGS[kind.subject].by_name else None
            page = await self._fetch(Task(0, kind.name, thing_id, page_size=self._size, about=urn))
        except PermanentError:
            return None
        n = len(page.items)
        self._skipped = max(self._skipped, 1 - n / page.received if page.received else 0.0)
        known = visit[kind.name]
        visit[kind.name] = replace(known, least=n) if page.next_cursor else replace(known, claim=n, counted=True)
        thing, ids = named_by(kind), list(dict.fromkeys(_led_to(kind, page)))
        if thing in THINGS:
            for one, seen in zip(ids, self._visits(thing, ids, page), strict=True):
                self._seen[thing].setdefault(one, seen)
        self._owners.update(
            (track, row.uploader_id) for track, row in page.tracks.items() if row.uploader_id is not None
        )
        self._excerpts.append(Excerpt(kind.name, thing_id, number, ids, whole=page.next_cursor is None))
        return page

    async def _fetch(self, task: Task) -> Page:
        page = await self._client.fetch(task)
        self._latencies.append(page.elapsed_ms)
        return page

    def _visits(self, thing: str, ids: Sequence[int], page: Page, *, seeds: bool = False) -> list[Visit]:
        """Say what a page claims of the lists of things that it shows."""
        kinds = [
            line.kind
            for line in recipe(self._limits)
            if line.kind.subject == thing and (seeds or not line.seeds_only) and not line.kind.own
        ]
        rows = _rows(page, thing)
        return [
            {k.name: Listed(getattr(rows.get(one), k.claimed, None) if k.claimed else None) for k in kinds}
            for one in ids
        ]


def _rows(page: Page, thing: str) -> Mapping[int, Track | User | Playlist | Station]:
    found: Mapping[int, Track | User | Playlist | Station] = {
        "track": page.tracks,
        "user": page.users,
        "playlist": page.playlists,
        "station": page.stations,
    }.get(thing, {})  # type: ignore[assignment]
    return found


def _led_to(kind: ListKind, page: Page) -> list[int]:
    """Give what the entries of a page lead to: themselves, or their authors."""
    if kind.item != "comment":
        return list(page.items)
    authors = [page.comments[one].user_id for one in page.items if one in page.comments]
    return [author for author in authors if author is not None]


def _unlike(visits: Sequence[tuple[int, Visit]], kind: str, most: int) -> list[int]:
    """Pick some with lists of unlike lengths, short ones left out: they have little to have in common."""
    rising = sorted((visit[kind].claim or 0, one) for one, visit in visits if kind in visit and visit[kind].claim)
    n = len(rising)
    return (
        list(dict.fromkeys(rising[n - 1 - (2 * place + 1) * n // (4 * most)][1] for place in range(most))) if n else []
    )
