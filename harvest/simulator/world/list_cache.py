"""Keep recent lists, as many as fit a budget of entries; safe to use from several threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Entries:
    """A list in its order: items (indices) and the time of each in milliseconds, newest first."""

    items: tuple[int, ...]
    times: tuple[int, ...]


class KeptLists:
    """Remembers the lists asked for last; a list of any length is kept until the next one needs its room."""

    def __init__(self, make: Callable[[str, int], Entries], budget: int) -> None:
        self.budget = budget
        self.held = 0
        self._make = make
        self._lists: OrderedDict[tuple[str, int], Entries] = OrderedDict()
        self._lock = Lock()

    def __call__(self, kind: str, subject: int) -> Entries:
        """Return a list, made again unless it is remembered."""
        with self._lock:
            entries = self._lists.get((kind, subject))
            if entries is not None:
                self._lists.move_to_end((kind, subject))
                return entries
        entries = self._make(kind, subject)
        with self._lock:
            if (kind, subject) not in self._lists:
                self._lists[kind, subject] = entries
                self.held += len(entries.items)
            while self.held > self.budget and len(self._lists) > 1:
                _, dropped = self._lists.popitem(last=False)
                self.held -= len(dropped.items)
        return entries
