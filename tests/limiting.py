"""Services that limit us in their own ways, and an hour against one of them in a second: our own clock, no sockets.

The line is the real `Turns` with its `Allowance`; what `Pace` adds (a gentle opening, so many in flight) is done here.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from harvest.pacing.queue import Refusal, Turns

MINUTE = 60.0


class Bucket:
    """Grants `rate` requests a second on top of a stock; `counting`: refused requests cost as well."""

    def __init__(self, rate: float, stock: float = 2.0, *, counting: bool = False) -> None:
        self.rate, self.stock, self.tokens, self.at, self.counting = rate, stock, stock, 0.0, counting

    def asks(self, now: float) -> bool:
        self.tokens = min(self.stock, self.tokens + max(now - self.at, 0.0) * self.rate)
        self.at = max(now, self.at)
        granted = self.tokens >= 1 - 1e-9
        if granted or self.counting:
            self.tokens = max(self.tokens - 1, 0.0)
        return granted

    def ready(self, now: float) -> float:
        """Say in how many seconds a request would be granted."""
        return (1 - self.tokens) / self.rate

    def change(self, factor: float) -> None:
        """Move the limit."""
        self.rate *= factor


class Window:
    """Grants so many requests in each window of time."""

    def __init__(self, count: float, seconds: float, *, phase: float = 0.0) -> None:
        self.count, self.seconds, self.phase, self.window, self.used = count, seconds, phase, -1.0, 0

    def asks(self, now: float) -> bool:
        window = (now + self.phase) // self.seconds
        if window != self.window:
            self.window, self.used = window, 0
        self.used += 1
        return self.used <= self.count

    def ready(self, now: float) -> float:
        return self.seconds - (now + self.phase) % self.seconds

    def change(self, factor: float) -> None:
        self.count = round(self.count * factor)


class Sliding:
    """Grants so many requests in any stretch of so many seconds."""

    def __init__(self, count: float, seconds: float, *, counting: bool = False) -> None:
        self.count, self.seconds, self.counting = count, seconds, counting
        self.log: deque[float] = deque()

    def asks(self, now: float) -> bool:
        while self.log and self.log[0] <= now - self.seconds:
            self.log.popleft()
        granted = len(self.log) < self.count
        if granted or self.counting:
            self.log.append(now)
        return granted

    def ready(self, now: float) -> float:
        return self.seconds - (now - self.log[0]) if self.log else 0.0

    def change(self, factor: float) -> None:
        self.count = round(self.count * factor)


Service = Bucket | Window | Sliding


@dataclass
class Seen:
    """When requests reached the service, and whether they were granted."""

    granted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    gave_up: bool = False

    def used(self, rate: float, begin: float, end: float) -> float:
        """Give the share of a rate that was used between two moments."""
        return sum(begin <= at < end for at in self.granted) / (rate * (end - begin))

    def share_refused(self, begin: float, end: float) -> float:
        """Give the share of the requests between two moments that were refused."""
        refused = sum(begin <= at < end for at in self.refused)
        return refused / max(refused + sum(begin <= at < end for at in self.granted), 1)


def crawl(
    service: Service,
    seconds: float,
    *,
    delay: float = 0.0,
    hold: float = 30.0,
    says: Callable[[float], float | None] = lambda ready: None,
    latency: float = 0.3,
    changes: tuple[tuple[float, float], ...] = (),
    seed: int = 0,
    in_flight: int = 32,
    work: float = 0.01,
    single: int = 4,
    turns: Turns | None = None,
) -> Seen:
    """Ask a service for so many seconds, as a crawl does; `says` makes a Retry-After of when it would grant again.

    `changes` are moments and factors of the limit; `work` is what lies between two requests at least. The first
    requests come one by one: token, address, track and likers.
    """
    random, seen, turns = Random(seed), Seen(), turns or Turns(delay=delay)
    events: list[tuple[float, int, str, Any]] = []
    number = now = out = worked = accepted_hold = accepted = 0
    gentle, place = 2.0, None

    def later(seconds: float, what: str, of: Any = None) -> None:
        nonlocal number
        number += 1
        heapq.heappush(events, (now + seconds, number, what, of))

    for moment, factor in changes:
        later(moment, "change", factor)
    later(0.0, "look")
    while events and (now := max(now, events[0][0])) < seconds:
        _, _, what, of = heapq.heappop(events)
        if what == "change":
            service.change(of)
        elif what == "arrive":
            if service.asks(now):
                seen.granted.append(now)
                later(latency / 2 * random.uniform(0.8, 1.2), "accepted", of)
            else:
                seen.refused.append(now)
                later(latency / 2 * random.uniform(0.8, 1.2), "refused", (of, says(service.ready(now))))
        elif what == "accepted":
            out -= 1
            gentle += 0.5
            if of.hold != accepted_hold:
                accepted_hold, accepted = of.hold, 0
            accepted += 1
            turns.accept(of)
        elif what == "refused":
            out -= 1
            turns.refuse(Refusal(of[1], "slow down", hold, random.uniform(1.0, 1.2)), of[0], now)
        elif what == "turn" and of is place:
            place = None
            if turns.holds == of.hold:
                if left := turns.left(now):
                    place = of
                    later(left, "turn", of)
                else:
                    slot = turns.go(now)
                    out += 1
                    worked = now + work
                    later(latency / 2, "arrive", slot)
        if turns.blocked:
            seen.gave_up = True
            return seen
        crowd = in_flight if len(seen.granted) >= single else 1
        if place is None and out < crowd and (turns.interval or turns.holds or gentle >= 64 or out < int(gentle)):
            if now < worked:
                later(worked - now, "look")
                continue
            if accepted and accepted_hold == turns.holds:
                turns.allowance.accept(accepted, now, turns.delay)
                accepted = 0
            place = turns.reserve(now, "we")
            if place is not None:
                later(place.wait, "turn", place)
            elif out == 0:
                later(1.0, "look")
    return seen
