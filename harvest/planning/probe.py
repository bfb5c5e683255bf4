"""Ask the few requests that tell what a crawl would cost: a seed, and the first page of what it leads to.

A page is asked of the list that leads on, until people have been seen, whose lists are most of what a crawl reads; and
of each list of the seed that nobody says the length of.

In: a seed, a client. Out: an Outlook. Never: a row, or a second page of any list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Protocol

from harvest.api.endpoints import redacted
from harvest.client.client import Client
from harvest.errors import ApiError, Blocked, PermanentError, SeedError, TransientError
from harvest.lists import KINDS, RESOLVE, ListKind
from harvest.models import Limits, Page, Playlist, Station, Task, Track, User
from harvest.planning.known import over
from harvest.planning.outlook import Group, Listed, Outlook, Visit
from harvest.rules import depth_of, leads_of, recipe
from harvest.things import THINGS

_MOST_PAGES = 2  # of lists that lead on


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
    client: Client, seed_url: str, limits: Limits, *, page_size: int, file: Holder | None = None
) -> Surveyed:
    """Ask for a seed and where it leads; `file` says what of it is there already.

    Raises SeedError, Blocked, AuthError.
    """
    try:
        return await _Survey(client, limits, page_size, file).of(seed_url)
    except TransientError as error:
        raise Blocked(f"The service cannot answer for the seed ({error}): try again later.") from error
    except ApiError as error:
        raise SeedError(f"{redacted(seed_url)} cannot be planned for: {error}") from error


class _Survey:
    def __init__(self, client: Client, limits: Limits, page_size: int, file: Holder | None) -> None:
        self._client, self._limits, self._size, self._file = client, limits, page_size, file
        self._latencies: list[int] = []
        self._skipped = 0.0
        self._urn: str | None = None  # of the seed, where it does not end in its number

    async def of(self, seed_url: str) -> Surveyed:
        """Ask about one seed."""
        page = await self._fetch(Task(0, RESOLVE.name, 0, seed_url=seed_url))
        thing, thing_id = str(page.thing), page.items[0]
        row = _rows(page, thing)[thing_id]
        self._urn = getattr(row, "urn", None)
        visit = dict(self._visits(thing, [thing_id], page, seeds=True)[0])
        ahead: list[dict[str, Sequence[Visit]]] = []
        if depth_of(thing, self._limits) > 0:
            ahead = await self._ahead(thing, thing_id, visit)
        for name in visit:
            if KINDS[name].claimed is None and not visit[name].read and not (visit[name].counted or visit[name].least):
                await self._first_page(KINDS[name], thing_id, visit)
        outlook = Outlook([{thing: Group([visit])}], ahead, look_ups=1, skipped=self._skipped)
        return Surveyed(
            thing,
            thing_id,
            getattr(row, THINGS[thing].label),
            getattr(row, "likes_given_count" if thing == "user" else "likes_count"),
            getattr(row, "reposts_given_count" if thing == "user" else "reposts_count", None),
            outlook,
            fmean(self._latencies) / 1000,
        )

    async def _ahead(self, thing: str, thing_id: int, visit: dict[str, Listed]) -> list[dict[str, Sequence[Visit]]]:
        """See who comes next, and who after them, until people have been seen."""
        levels: list[dict[str, Sequence[Visit]]] = []
        while len(levels) < _MOST_PAGES and not any("user" in level for level in levels):
            way = next(leads_of(thing, self._limits), None)
            page = await self._first_page(way[1][0], thing_id, visit) if way else None
            if way is None or page is None:
                break
            ids = list(dict.fromkeys(_led_to(way[1][0], page)))
            thing, visits = way[0].to, self._visits(way[0].to, ids, page)
            levels.append({thing: visits})
            likely = next((one for one in zip(ids, visits, strict=True) if _leads_on(one[1])), None)
            if likely is None:
                break
            thing_id, visit = likely[0], dict(likely[1])
        return levels

    async def _first_page(self, kind: ListKind, thing_id: int, visit: dict[str, Listed]) -> Page | None:
        """Ask for the beginning of a list, and note in the visit what it shows; None where the service refuses it."""
        try:
            urn = self._urn if THINGS[kind.subject].by_name else None
            page = await self._fetch(Task(0, kind.name, thing_id, page_size=self._size, subject_urn=urn))
        except PermanentError:
            return None
        n = len(page.items)
        self._skipped = max(self._skipped, 1 - n / page.received if page.received else 0.0)
        known = visit[kind.name]
        visit[kind.name] = replace(known, least=n) if page.next_cursor else replace(known, claim=n, counted=True)
        return page

    async def _fetch(self, task: Task) -> Page:
        page = await self._client.fetch(task)
        self._latencies.append(page.elapsed_ms)
        return page

    def _visits(self, thing: str, ids: Sequence[int], page: Page, *, seeds: bool = False) -> list[Visit]:
        """Say what is known of things that a page shows: what it claims of their lists, and what the file holds."""
        kinds = [
            line.kind for line in recipe(self._limits) if line.kind.subject == thing and (seeds or not line.seeds_only)
        ]
        held = self._file.lists_of(thing, ids, self._limits) if self._file else {}
        rows = _rows(page, thing)
        return [
            over(
                {k.name: Listed(getattr(rows.get(one), k.claimed, None) if k.claimed else None) for k in kinds},
                held.get(one, {}),
            )
            for one in ids
        ]


def _rows(page: Page, thing: str) -> Mapping[int, Track | User | Playlist | Station]:
    found: Mapping[int, Track | User | Playlist | Station] = {
        "track": page.tracks,
        "user": page.users,
        "playlist": page.playlists,
        "station": page.stations,
    }[thing]  # type: ignore[assignment]
    return found


def _led_to(kind: ListKind, page: Page) -> list[int]:
    """Give what the entries of a page lead to: themselves, or whoever wrote them."""
    if kind.item != "comment":
        return list(page.items)
    authors = [page.comments[one].user_id for one in page.items if one in page.comments]
    return [author for author in authors if author is not None]


def _leads_on(visit: Visit) -> bool:
    return any((listed.claim or 0) > 0 for listed in visit.values())
