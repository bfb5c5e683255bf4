"""Learn how fast the service lets us ask, from what it accepted and what it refused. Pure.

A refusal measures. A service that grants `rate` requests a second, and a stock of some seconds' worth at once, has let
through stock + rate x seconds when it first refuses. One refusal leaves both open; a second one, at another pace and
from a full stock, tells both. We go on just under the rate and feel upwards, the more slowly the more a refusal costs
and the less there is to gain: a hold of half a minute has to be rare.

Rule 1. A rate that was kept up for a while is good: a refusal after a step upwards takes that step back, no more.
Rule 2. Refused soon again at a rate that was measured, the two refusals are solved for rate and stock; where they do
        not fit together, more is let through at once than was thought: the depth doubles.
Rule 3. A refusal that says little halves the rate, and no more; the next one takes three quarters of it.
Rule 4. Steps divide what lies between the present rate and the slowest that was refused. Where that one is passed, the
        limit has moved, and steps become longer. Where the limit was met again, the next steps come later.
Rule 5. A step is taken only when the present rate was really used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_MARGIN = 0.97  # stay this much under what was measured
_SMALL_MARGIN = 0.99  # and this much under what was kept up
_EVIDENCE = 5  # fewer requests than these say little
_DROP = 2.0  # how much slower after a refusal that says little
_DROP_AGAIN = 4.0  # and after another one
_STRIDE = 25  # accepted requests between two steps upwards, at least
_STEP = 0.01
_LONGEST_STEP = 0.25
_LONGEST_STEP_TO_KNOWN = 0.5  # towards a rate that is known to be too fast
_STEPS_TO_KNOWN = 3  # parts of the way there that a step takes
_STEP_PER_HOLD = 0.5  # seconds between two steps, for each second that a refusal costs, divided by what is to gain
_SECONDS_BETWEEN_STEPS = (5.0, 1800.0)
_USED = 0.7  # share of the rate that has to be used for a step upwards
_LONG = 30.0  # seconds without a refusal after which we were not far too fast
_DEEPEST = 16.0
_MOST_CAUTION = 8.0
_SLOWEST = 1 / 60

Stretch = tuple[int, float]  # so many requests were let through in so many seconds


@dataclass(slots=True)
class Allowance:
    """What is known of the rate; rate 0 means that no limit was met. Plain values, so that it can be kept."""

    rate: float = 0.0
    good: float = 0.0  # the rate before the latest step upwards
    bad: float = 0.0  # the slowest rate known to be too fast; 0: none is known any more
    step: float = _STEP
    steps: int = 0  # upwards, since the last refusal
    depth: float = 1.0  # seconds' worth that the service lets through at once
    measured: bool = False  # the rate comes from a count and the depth
    count: int = 0  # requests let through before the last refusal that was measured
    length: float = 0.0  # and in how many seconds
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
        seconds = now - self.stepped_at
        if self.accepted >= _STRIDE and seconds >= self._pause():
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
        self.bad = asked
        if self.steps:
            rate = self.good * _SMALL_MARGIN
            self.caution = 1.0 if self.step > 2 * _STEP else min(self.caution * 2, _MOST_CAUTION)
        else:
            rate = self._measure(stretches, asked)
        self.rate = self.good = max(rate, _SLOWEST)
        self.step, self.steps, self.cost = _STEP, 0, cost
        self._begin(now + cost)

    def _pause(self) -> float:
        """Say how many seconds of the present rate come before the next step."""
        to_gain = max(self.bad / self.rate - 1, _STEP) if self.bad else self.step
        shortest, longest = _SECONDS_BETWEEN_STEPS
        return min(max(self.cost * _STEP_PER_HOLD / to_gain * self.caution, shortest), longest)

    def _measure(self, stretches: tuple[Stretch, ...], asked: float) -> float:
        """Say how fast to go on, as far as this refusal, and the one before, tell."""
        started, seconds = stretches[-1]
        solved = self._solve(started, seconds, asked)
        drop = _DROP_AGAIN if self.rate and self.count < _EVIDENCE else _DROP
        self.count, self.length = started, seconds
        if seconds >= _LONG:
            self.depth = 1.0
        elif self.measured and not solved:
            self.depth = min(self.depth * 2, _DEEPEST)
        depth = min(self.depth, self.cost or self.depth)  # a short hold saves up no more than its length
        granted = solved or max(count / max(length + depth, 0.05) for count, length in stretches)
        least = asked / drop if started < _EVIDENCE else asked / 16
        self.measured = least < granted and seconds < _LONG
        return max(least, min(granted, asked) * _MARGIN)

    def _solve(self, started: int, seconds: float, asked: float) -> float:
        """Solve the last two refusals for the rate and the stock; 0 where they do not fit together."""
        more, longer = started - self.count, seconds - self.length
        if not self.measured or abs(longer) < 1.0 or not 0 < more / longer < asked:
            return 0.0
        rate = more / longer
        depth = started / rate - seconds
        if not 0.5 / rate <= depth <= min(self.cost or _DEEPEST, _DEEPEST):
            return 0.0
        self.depth = depth
        self.bad = min(self.bad, rate * (1 + 1 / abs(more)))
        return rate

    def _feel_upwards(self) -> None:
        self.good = self.rate
        to_gain = self.bad / self.rate - 1
        if to_gain > _STEP / 5:
            self.step = min(max(to_gain / _STEPS_TO_KNOWN, _STEP), _LONGEST_STEP_TO_KNOWN)
        else:
            self.bad = 0.0
            self.step = min(self.step * 2, _LONGEST_STEP)
        self.rate *= 1 + self.step
        self.steps += 1

    def _begin(self, moment: float) -> None:
        self.accepted, self.stepped_at = 0, moment
