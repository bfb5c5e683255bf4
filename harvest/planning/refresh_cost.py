"""What a refresh takes, as far as the file knows before anything is looked up. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from harvest.crawler.request import CrawlRequest
from harvest.store import refreshes
from harvest.store.database import open_to_read
from harvest.store.refreshes import Refresh
from harvest.system.clock import as_text
from harvest.things import THINGS


@dataclass(frozen=True, slots=True)
class RefreshCost:
    """Requests for look-ups, lists that are known to be due, requests for these, lists whose count has moved for which
    a bound leaves no room.
    """

    lookups: int
    lists: int
    requests: int
    left_out: int


def refresh_cost(request: CrawlRequest) -> RefreshCost:
    """Tell what a refresh takes. Raises StoreError."""
    refresh = request.refresh or Refresh()
    with open_to_read(request.path) as connection:
        subjects = refreshes.subjects(connection, refresh)
        due, left_out = refreshes.choose(
            connection, refresh, as_text(datetime.now(UTC)), page_size=request.conditions.page_size,
            room=request.budget.max_requests,
        )  # fmt: skip
    lookups = sum(-(-len(ids) // THINGS[thing].at_once) for thing, ids in subjects.items())
    worth_it = [one for one in due if one.worth_it]
    return RefreshCost(lookups, len(worth_it), sum(one.requests for one in worth_it), left_out)
