"""Ask something else before a list is blamed for what the service does (verdicts.py has the rules).

In: what lists came back with. Out: verdicts in the file, or the error that ends the crawl. Never: SQL of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harvest.client.client import Client
from harvest.crawler.verdicts import in_doubt, is_outage
from harvest.errors import ApiError, Blocked
from harvest.lists import KINDS
from harvest.models import Task
from harvest.store.doubts import Emptied

_CONTROLS = 3  # lists asked at most: one may be gone by now


@dataclass(frozen=True, slots=True)
class Docket:
    """What the judge asks of the store."""

    answered_before: Callable[[str, int], Sequence[Task]]
    emptied: Callable[[], Sequence[Emptied]]
    put_back_empty: Callable[[str], int]


class Judge:
    """Clears up what is in doubt, one matter after the other."""

    def __init__(self, client: Client, docket: Docket) -> None:
        self._client = client
        self._docket = docket
        self._cleared: Counter[str] = Counter()

    @property
    def in_doubt(self) -> bool:
        """Whether something has to be asked before the round may end."""
        return bool(self._doubtful())

    async def close_the_round(self) -> None:
        """Find out whether lists that came back empty are; raise Blocked where the service is to blame."""
        for seen in self._doubtful():
            if is_outage(seen, await self._still_brings(seen.kind)):
                lists = self._docket.put_back_empty(seen.kind)
                raise Blocked(
                    f"SoundCloud answers {lists:,} lists of {KINDS[seen.kind].title} with nothing, against what it"
                    " claims: an outage. They are to be read again: run `harvest resume` later."
                )
            self._cleared[seen.kind] = seen.against + seen.hidden

    def _doubtful(self) -> list[Emptied]:
        return [seen for seen in self._docket.emptied() if in_doubt(seen, self._cleared[seen.kind])]

    async def _still_brings(self, kind: str) -> bool | None:
        """Say whether a list that brought something before still does; None when none answers."""
        for task in self._docket.answered_before(kind, _CONTROLS):
            try:
                return bool((await self._client.fetch(task)).received)
            except ApiError:
                continue
        return None
