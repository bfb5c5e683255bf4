"""Learn how fast the service lets us ask, from what it accepted and what it refused. Pure.

A refusal measures. A service that grants `rate` requests a second, and a stock that has filled up in a hold, has let
through stock + rate x seconds when it refuses. One refusal leaves both open; with a later one, what came in the time
that was longer tells the rate. A hold of half a minute costs a twentieth of ten minutes: it takes two, seldom three.

Rule 1. Two refusals, each from a full stock, are solved for the rate; we go on at the lower end of what they leave
        open. Any stretch since a hold or a step counts, for none lets through more than the stock and the rate. Of
        the first refusal it is the fullest stretch, since a crawl opens slowly.
Rule 2. One refusal alone: a second's worth is let through at once. Where hardly any request was let through, the rate
        is halved, and no more; the next one takes three quarters of it. So is it where two refusals do not fit.
Rule 3. A service that stops at the same number again, though we came more slowly, counts in windows. A window that
        was used up within ten seconds is taken for one of ten seconds; of longer ones we try twice as long.
Rule 4. A refusal after a step takes that step back, unless the rate can be solved.
Rule 5. Steps divide what lies between the present rate and the slowest that was refused, the more slowly the dearer a
        refusal is and the less there is to gain. Each lasts until the stock would have run out. Where the rate that
        was refused is passed, the limit has moved, and steps become longer.
Rule 6. A step is taken only when the present rate was really used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_MARGIN = 0.97  # stay this much under what was asked when we were refused, and under a window's worth
_SMALL_MARGIN = 0.99  # and this much under what was kept up or solved
_EVIDENCE = 2  # fewer requests than these say little
_DROP = 2.0  # how much slower after a refusal that says little
_DROP_AGAIN = 4.0  # and after another one
_AT_ONCE = 1.0  # seconds' worth that is taken for the stock, until more is known
_FILLED = 10.0  # seconds of a hold after which a stock is taken for full
_SURE = 2.0
_OFF = 0.7  # requests by which a count may be off
_TOO_SLOW = 2.5  # where two refusals tell a rate so many times slower than asked, they do not fit together
_MANY = 20  # the least count that is compared with another one
_WINDOW = 10.0  # seconds; who counts in windows likes round ones
_WINDOW_OPEN = 1.02  # times the rate of such a window that may still be granted
_WINDOW_DEPTH = 0.25  # of a window's worth counts as depth
_STRIDE = 5  # accepted requests between two steps upwards, at least
_STEP = 0.01
_LONGEST_STEP = 0.25
_LONGEST_STEP_TO_KNOWN = 0.12  # towards a rate that is known to be too fast
_STEPS_TO_KNOWN = 3  # parts of the way there that a step takes
_STEP_PER_HOLD = 0.03  # seconds between two steps, for each that a refusal costs, divided by what is to gain, squared
_LEAST_GAIN = 0.025  # what is to gain is taken for no less
_DEPTHS_BETWEEN_STEPS = 7.0
_LONGEST_PAUSE = 1800.0
_USED = 0.7  # share of the rate that has to be used for a step upwards
_DEPTH = (0.5, 16.0)  # seconds
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
    count: int = 0  # requests let through before an earlier refusal, in the stretch that was the fullest
    length: float = 0.0  # and in how many seconds
    windowed: bool = False  # the service grants `count` requests in each window of time
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

        The longest stretch, the last one, reaches back to the last hold, or some steps. `interval` is what lay between
        two requests; `cost` is how long we pause from `now`.
        """
        stretches = tuple(stretches)
        asked = 1 / interval if interval > 0 else max(max(count, 1) / max(length, 0.05) for count, length in stretches)
        self.bad = asked
        if self.steps:
            self.caution = 1.0 if self.step > 2 * _STEP else min(self.caution * 2, _MOST_CAUTION)
        rate = self._solve(stretches, asked) or self._guess(stretches, asked, cost)
        self.rate = self.good = max(min(rate, asked * _MARGIN), _SLOWEST)
        self.bad = max(self.bad, self.rate)
        self.step, self.steps, self.cost = _STEP, 0, cost
        self._begin(now + cost)

    def _pause(self) -> float:
        """Say how many seconds of the present rate come before the next step."""
        to_gain = max(self.bad / self.rate - 1 if self.bad else self.step, _LEAST_GAIN)
        worth_it = self.cost * _STEP_PER_HOLD / to_gain**2 * self.caution
        return min(max(worth_it, _DEPTHS_BETWEEN_STEPS * self._depth()), _LONGEST_PAUSE)

    def _depth(self) -> float:
        """Say how many seconds' worth of the present rate the service lets through at once."""
        if self.windowed:
            return self.count / self.rate * _WINDOW_DEPTH
        least, most = _DEPTH
        return min(max(self.count / self.rate - self.length, least), most)

    def _solve(self, stretches: tuple[Stretch, ...], asked: float) -> float:
        """Solve this refusal and an earlier one for the rate; 0 where there is none, or they do not fit together."""
        longer = [(count - self.count, length - self.length) for count, length in stretches]
        longer = [(more, seconds) for more, seconds in longer if seconds >= _SURE]
        if not longer or not self.count or self.cost < _FILLED or (self.windowed and self.steps):
            return 0.0
        least, seconds = max(((more - _OFF) / seconds, seconds) for more, seconds in longer)
        most = least + 2 * _OFF / seconds
        fits = most >= asked / _TOO_SLOW
        self.windowed = not fits and not self.steps and self.count >= _MANY
        if not fits:
            return 0.0
        self.bad = min(self.bad, most)
        return max(least * _SMALL_MARGIN, min(asked / _DROP, most))

    def _guess(self, stretches: tuple[Stretch, ...], asked: float, cost: float) -> float:
        """Say how fast to go on, as far as this refusal alone tells."""
        is_first, little_before = not self.count, self.rate and self.count < _EVIDENCE
        depth = min(_AT_ONCE, cost) if is_first else cost  # a hold saves up no more than its length
        granted = max(count / max(length + depth, 0.05) for count, length in stretches)
        if self.steps:
            return max(granted, self.good * _SMALL_MARGIN)
        self.count, self.length = max(stretches, key=lambda stretch: stretch[0] / (stretch[1] + _AT_ONCE))
        if self.windowed and self.length < _WINDOW:
            self.bad = self.count / _WINDOW * _WINDOW_OPEN
            return max(granted, self.count / _WINDOW * _MARGIN)
        if self.count >= _EVIDENCE and not self.rate:
            return granted
        return max(granted, asked / (_DROP_AGAIN if little_before and self.count < _EVIDENCE else _DROP))

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
