"""Which requests go wrong: the schedule of faults.

What each fault does stands in `replies.py`, `pages.py` and `shapes.py`; `describe()` lists them all.

A schedule is a comma-separated text:

| written                           | means                                                         |
|-----------------------------------|---------------------------------------------------------------|
| `error_503_text=0.1`              | one request in ten, chosen by the seed and the address        |
| `error_503_text@7`                | exactly the 7th API request                                   |
| `error_503_text*3`                | the first 3 requests; after `=rate` or `@N`: at most, or from |
| `error_503_text[/favoriters]@2`   | the 2nd request whose address contains /favoriters            |
| `throttled_gateway(5)@9`          | with a number: seconds of Retry-After, delay and so on        |

Requests to the token host only count where the path names them: `token_quota[/oauth/token]*2`.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harvest.simulator.faults import pages, replies, shapes  # noqa: F401  importing them declares the faults
from harvest.simulator.faults.base import EFFECTS, FaultScene, Memory
from harvest.simulator.service.replies import SimReply, SimRequest
from harvest.simulator.service.service import is_oauth
from harvest.simulator.world.prng import salt, threshold

_ONE = re.compile(
    r"(?P<name>[a-z0-9_]+)(?:\((?P<value>[0-9.]+)\))?(?:\[(?P<path>[^\]]*)\])?"
    r"(?:=(?P<rate>[0-9.]+))?(?:@(?P<at>[0-9]+))?(?:\*(?P<times>[0-9]+))?"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and when it strikes: always, at a rate, or from the `at`-th matching request, `times` times."""

    name: str
    rate: float = 1.0
    at: int | None = None
    times: int | None = None
    path: str = ""
    value: float | None = None

    def __post_init__(self) -> None:
        if self.name not in EFFECTS:
            raise ValueError(f"no fault is called {self.name!r}; see `harvest simulate --faults list`")
        if not 0 <= self.rate <= 1:
            raise ValueError(f"the rate of {self.name} must lie between 0 and 1")
        if self.at is not None and self.at < 1:
            raise ValueError(f"{self.name}: requests are counted from 1")

    @property
    def changes(self) -> str:
        """Return what differs in a correctly harvested file: nothing, or `ends`, `items`, `ranks`, `texts`."""
        return EFFECTS[self.name].changes


def parse_faults(text: str) -> tuple[Fault, ...]:
    """Read a schedule; raise ValueError naming the part that cannot be read."""
    faults = []
    for part in re.split(r",(?![^\[]*\])", text):
        if not part.strip():
            continue
        found = _ONE.fullmatch(part.strip())
        if found is None:
            raise ValueError(f"cannot read the fault {part.strip()!r}")
        try:
            faults.append(_fault(found.groupdict()))
        except ValueError as error:
            raise ValueError(f"cannot read the fault {part.strip()!r}: {error}") from error
    return tuple(faults)


def _fault(parts: dict[str, str | None]) -> Fault:
    at, times, rate, value = parts["at"], parts["times"], parts["rate"], parts["value"]
    return Fault(
        name=parts["name"] or "",
        rate=1.0 if rate is None else float(rate),
        at=None if at is None else int(at),
        times=None if times is None else int(times),
        path=parts["path"] or "",
        value=None if value is None else float(value),
    )


def describe() -> str:
    """Return the table of all faults: name, what happens, what it changes in a correct harvest."""
    width = max(map(len, EFFECTS))
    lines = (f"{name:{width}}  {effect.what}{_note(effect.changes)}" for name, effect in EFFECTS.items())
    return "\n".join(lines)


def _note(changes: str) -> str:
    return f" (changes {changes})" if changes else ""


class FaultPlan:
    """Decides, request by request, what goes wrong; the same seed decides the same."""

    def __init__(self, faults: Iterable[Fault], handle: Callable[[SimRequest], SimReply], *, seed: int = 1) -> None:
        self.faults = tuple(faults)
        self.fired: Counter[str] = Counter()
        self.strikes: deque[tuple[int, str, str]] = deque(maxlen=10_000)
        self.requests = 0
        self._handle = handle
        self._seed = seed
        self._seen: Counter[int] = Counter()
        self._struck: Counter[int] = Counter()
        self._rolled: Counter[tuple[int, str]] = Counter()
        self._memory = Memory() if any(EFFECTS[fault.name].memory for fault in self.faults) else None

    def answer(self, request: SimRequest, target: str, base_url: str) -> SimReply:
        """Answer a request, rightly or wrongly."""
        api = not is_oauth(request.path)
        self.requests += api
        fault = self._choose(target, api=api)
        if self._memory is not None:
            self._memory.asked(target)
        if fault is None and not target.partition("cursor=")[2].startswith("endless-"):
            reply = self._handle(request)
        else:
            fault = fault or Fault("href_endless")
            reply = EFFECTS[fault.name].apply(
                FaultScene(request, target, base_url, self._handle, fault.value, self._memory)
            )
            self.fired[fault.name] += 1
            self.strikes.append((self.requests, fault.name, target))
        if self._memory is not None:
            self._memory.answered(target, reply)
        return reply

    def _choose(self, target: str, *, api: bool) -> Fault | None:
        """Return the first fault that strikes; every matching fault counts the request."""
        chosen: int | None = None
        for place, fault in enumerate(self.faults):
            if fault.path not in target if fault.path else not api:
                continue
            self._seen[place] += 1
            if chosen is None and self._strikes(place, fault, target):
                chosen = place
        if chosen is None:
            return None
        self._struck[chosen] += 1
        return self.faults[chosen]

    def _strikes(self, place: int, fault: Fault, target: str) -> bool:
        """Say whether one fault strikes now."""
        if fault.at is not None:
            return fault.at <= self._seen[place] < fault.at + (fault.times or 1)
        if fault.times is not None and self._struck[place] >= fault.times:
            return False
        if fault.rate >= 1:
            return True
        rolled = self._rolled[place, target]
        strikes = salt(self._seed, fault.name, place, target, rolled) < threshold(fault.rate)
        if strikes:
            self._rolled[place, target] += 1
        return strikes
