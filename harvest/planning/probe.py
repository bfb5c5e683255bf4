"""Ask the few requests that tell what a crawl would cost: the seed, and one page of its likers.

In: a seed, a client. Out: an Outlook. Never: a row, or a fifth request for one seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harvest.api.endpoints import redacted
from harvest.client.client import Client
from harvest.errors import ApiError, Blocked, SeedError, TransientError
from harvest.lists import RESOLVE, SPILL
from harvest.models import Task, Track
from harvest.planning.cost import Outlook, Person


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What was found out about a seed, and how long a reply took on average."""

    track: Track
    outlook: Outlook
    latency: float


async def survey(
    client: Client,
    seed_url: str,
    *,
    page_size: int,
    pages_held: int = 0,
    read_before: Callable[[Iterable[int]], set[int]] = lambda users: set(),
) -> Surveyed:
    """Ask for a seed's track and the first page of its likers; `read_before` says whose likes we have already.

    Raises SeedError, Blocked, AuthError.
    """
    try:
        found = await client.fetch(Task(0, RESOLVE.name, 0, seed_url=seed_url))
        track = found.tracks[found.items[0]]
        likers = await client.fetch(Task(0, SPILL[0], track.id, page_size=page_size))
    except TransientError as error:
        raise Blocked(f"The service cannot answer for the seed ({error}): try again later.") from error
    except ApiError as error:
        raise SeedError(f"{redacted(seed_url)} cannot be planned for: {error}") from error
    known = read_before(likers.items)
    people = [Person(likers.users[user].likes_given_count, read=user in known) for user in likers.items]
    outlook = Outlook(
        likes_count=track.likes_count,
        reposts_count=track.reposts_count,
        people=people,
        listed_all=likers.next_cursor is None,
        pages_held=pages_held,
        skipped=1 - len(likers.items) / likers.received if likers.received else 0.0,
    )
    return Surveyed(track, outlook, (found.elapsed_ms + likers.elapsed_ms) / 2000)
