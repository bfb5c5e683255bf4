"""What a fault is made of: the scene it plays in, what it may remember, and the register of all faults.

The faults themselves stand in `replies.py` (the whole reply), `pages.py` (what a page says) and `shapes.py` (which
fields there are).
`changes` says what differs in a correctly harvested file: '' nothing; `ends` how a list ended or how far it
could be read; `items` additional things; `ranks` only their order; `texts` only texts.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from harvest.simulator.service.replies import SimReply, SimRequest

_PATHS_REMEMBERED = 2000


class Memory:
    """What was asked and answered lately, per list; for faults that mix pages up."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, deque[str]] = OrderedDict()
        self._last: OrderedDict[str, list[Any]] = OrderedDict()

    def asked(self, target: str) -> None:
        """Note a request; asking the same again is not noted twice."""
        path = target.partition("?")[0]
        targets = self._asked.setdefault(path, deque(maxlen=8))
        if target not in targets:
            targets.append(target)
        while len(self._asked) > _PATHS_REMEMBERED:
            self._asked.popitem(last=False)

    def answered(self, target: str, reply: SimReply) -> None:
        """Note the last items of a page."""
        page = page_of(reply)
        if page is not None:
            self._last[target.partition("?")[0]] = page["collection"][-3:]
        while len(self._last) > _PATHS_REMEMBERED:
            self._last.popitem(last=False)

    def earlier(self, target: str, back: int) -> str | None:
        """Return the request made so many pages before in this list, None at its beginning."""
        targets = list(self._asked.get(target.partition("?")[0], ()))
        place = targets.index(target) - back if target in targets else -1
        return targets[place] if place >= 0 else None

    def last_items(self, target: str) -> list[Any]:
        """Return the last items of the page before."""
        return self._last.get(target.partition("?")[0], [])


@dataclass(frozen=True, slots=True)
class FaultScene:
    """One request about to go wrong."""

    request: SimRequest
    target: str
    base_url: str
    handle: Callable[[SimRequest], SimReply]
    value: float | None = None
    memory: Memory | None = None

    def right(self) -> SimReply:
        """Return the reply as it should have been."""
        return self.handle(self.request)

    @property
    def foreign(self) -> str:
        """Return an address that is not the service: a foreign host, or the port of this machine given as number."""
        return "https://evil.example" if self.value is None else f"http://127.0.0.1:{self.value:.0f}"

    def number(self, default: float) -> float:
        """Return the number given with the fault."""
        return default if self.value is None else self.value


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fault does."""

    name: str
    what: str
    apply: Callable[[FaultScene], SimReply]
    changes: str = ""
    memory: bool = False


EFFECTS: dict[str, Effect] = {}


def effect(
    what: str = "", *, changes: str = "", memory: bool = False, name: str | None = None
) -> Callable[[Callable[[FaultScene], SimReply]], Callable[[FaultScene], SimReply]]:
    """Declare a fault; its name and words are those of the function unless given."""

    def declare(apply: Callable[[FaultScene], SimReply]) -> Callable[[FaultScene], SimReply]:
        key = name or apply.__name__
        words = what or (apply.__doc__ or "").rstrip(".")
        EFFECTS[key] = Effect(key, words, apply, changes, memory)
        return apply

    return declare


def page_of(reply: SimReply) -> dict[str, Any] | None:
    """Return the envelope a reply carries, None when it carries none."""
    if reply.status != 200 or not reply.body.startswith(b'{"collection":['):
        return None
    try:
        page: dict[str, Any] = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:  # another fault has broken it
        return None
    return page
