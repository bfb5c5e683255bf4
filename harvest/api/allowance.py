"""Learn how fast the service lets us ask, from what it accepted and what it refused. Pure.

A refusal measures. A service that grants `rate` requests a second, and some seconds' worth of them at once, has let
through rate x (seconds + depth) at most in any stretch of time: so what started before a refusal tells the rate. We go
on just under it and feel upwards, the more slowly the more a refusal costs: a hold of half a minute has to be rare.

Rule 1. A rate that was kept up for a while is good: a refusal after a step upwards takes that step back, no more.
Rule 2. Refused soon again at a rate that was measured, we know that more is let through at once; the depth doubles.
Rule 3. One refusal halves the rate at most, unless it is known how many requests were let through before it.
Rule 4. Where the limit was met again, the next steps come later; where it is not met any more, they become longer.
Rule 5. A step is taken only when the present rate was really used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_MARGIN = 0.97  # stay this much under what was measured
_SMALL_MARGIN = 0.99  # and this much under what was kept up
_EVIDENCE = 5  # fewer requests than these say little
_STRIDE = 25  # accepted requests between two steps upwards, at least
_STEP = 0.01
_LONGEST_STEP = 0.25
_STEP_PER_HOLD = 6.0  # seconds between two steps, for each second that a refusal cost
_SECONDS_BETWEEN_STEPS = (5.0, 180.0)
_USED = 0.7  # share of the rate that has to be used for a step upwards
_LONG = 30.0  # seconds without a refusal after which we were not far too fast
_DEEPEST = 16.0
_MOST_CAUTION = 16.0
_SLOWEST = 1 / 60

Stretch = tuple[int, float]  # so many requests were let through in so many seconds


@dataclass(slots=True)
class Allowance:
    """What is known of the rate; rate 0 means that no limit was met. Plain values, so that it can be kept."""

    rate: float = 0.0
    good: float = 0.0  # the rate before the latest step upwards
    step: float = _STEP
    steps: int = 0  # upwards, since the last refusal
    depth: float = 1.0  # seconds' worth that the service lets through at once
    measured: bool = False  # the rate comes from a count and the depth
    cost: float = 0.0  # seconds of the last hold
    caution: float = 1.0
    accepted: int = 0  # requests since the last step
    stepped_at: float = 0.0

    @property
    def interval(self) -> float:
        """Seconds between two requests, as learned so far."""
        return 1 / self.rate if self.rate else 0.0

    def accept(self, count: int, now: float, delay: float) -> None:
        """Count requests that were answered without complaint; `delay` is what was asked for."""
        if not self.rate:
            return
        self.accepted += count
        shortest, longest = _SECONDS_BETWEEN_STEPS
        pause = min(max(self.cost * _STEP_PER_HOLD, shortest), longest) * self.caution
        seconds = now - self.stepped_at
        if self.accepted >= _STRIDE and seconds >= pause:
            if self.accepted >= _USED * self.rate * seconds:
                self._feel_upwards()
            self._begin(now)
        if self.rate * delay > 1 / _MARGIN:  # the delay alone keeps us under any limit we know
            self.rate = 0.0

    def refuse(self, stretches: Iterable[Stretch], interval: float, now: float, cost: float) -> None:
        """Learn from a refusal: how many requests had been let through in which stretches of time before it.

        The longest stretch, the last one, reaches back to the last hold. `interval` is what lay between two requests;
        `cost` is how long we pause from `now`.
        """
        stretches = tuple(stretches)
        asked = 1 / interval if interval > 0 else max(max(count, 1) / max(length, 0.05) for count, length in stretches)
        if self.steps:
            rate = self.good * _SMALL_MARGIN
            self.caution = 1.0 if self.step >= _LONGEST_STEP else min(self.caution * 2, _MOST_CAUTION)
        else:
            rate = self._measure(stretches, asked)
        self.rate = self.good = max(rate, _SLOWEST)
        self.step, self.steps, self.cost = _STEP, 0, cost
        self._begin(now + cost)

    def _measure(self, stretches: tuple[Stretch, ...], asked: float) -> float:
        """Say what the service grants, as far as this refusal tells."""
        started, seconds = stretches[-1]
        if seconds >= _LONG:
            self.depth = 1.0
        elif self.measured:
            self.depth = min(self.depth * 2, _DEEPEST)
        depth = min(self.depth, self.cost or self.depth)  # a short hold saves up no more than its length
        granted = max(count / max(length + depth, 0.05) for count, length in stretches)
        least = asked / 2 if started < _EVIDENCE else asked / 16
        self.measured = least < granted and seconds < _LONG
        return max(least, min(granted, asked) * _MARGIN)

    def _feel_upwards(self) -> None:
        self.good = self.rate
        self.rate *= 1 + self.step
        self.steps += 1
        self.step = min(self.step * 2, _LONGEST_STEP)

    def _begin(self, moment: float) -> None:
        self.accepted, self.stepped_at = 0, moment
