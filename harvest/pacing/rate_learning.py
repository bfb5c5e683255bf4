"""Learn how fast the service lets us ask, from what it accepted and what it refused. Pure.

`docs/pacing.md` has the equations, `tuning.py` their constants.

A refusal measures. A service that grants `rate` requests a second, and a stock that has filled up in a hold, has let
through stock + rate x seconds when it refuses. One refusal leaves both open; with a later one, what came in the time
that was longer tells the rate. A hold of half a minute costs a twentieth of ten minutes: it takes two, seldom three.

Rule 1. Two refusals, each from a full stock, are solved for the rate; we go on at the lower end of what they leave
        open. Any stretch since a hold or a step counts, for none lets through more than the stock and the rate. Of
        the first refusal it is the fullest stretch, since a crawl opens slowly.
Rule 2. One refusal alone: a second's worth is let through at once. Where hardly any request was let through, the rate
        is halved, and no more; the next one takes three quarters of it. So is it where two refusals do not fit.
Rule 3. A service that stops at the same number again, though we came more slowly, counts in windows. A window that
        was used up within ten seconds is taken for one of ten seconds; where the same number came again, one that
        lasted longer is taken for one of a minute or five. Of all others we try twice as long.
Rule 4. A refusal after a step takes that step back, unless the rate can be solved.
Rule 5. Steps divide what lies between the present rate and the slowest that was refused, the more slowly the dearer a
        refusal is and the less there is to gain. Each lasts until the stock would have run out. Where the rate that
        was refused is passed, the limit has moved, and steps become longer.
Rule 6. A step is taken only when the present rate was really used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harvest.pacing.tuning import USUAL, Tuning

Stretch = tuple[int, float]  # so many requests were let through in so many seconds


@dataclass(slots=True)
class Allowance:
    """What is known of the rate; rate 0 means that no limit was met. Plain values, so that it can be kept."""

    rate: float = 0.0
    good: float = 0.0  # the rate before the latest step upwards
    bad: float = 0.0  # the slowest rate known to be too fast; 0: none is known any more
    step: float = 0.0  # share by which the next step raises the rate; a refusal sets it
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

    def accept(self, count: int, now: float, delay: float, tuning: Tuning = USUAL) -> None:
        """Count requests that were answered without complaint; `delay` is what was asked for."""
        if not self.rate:
            return
        self.accepted += count
        seconds = now - self.stepped_at
        if self.accepted >= tuning.stride and seconds >= self._pause(tuning):
            if self.accepted >= tuning.used * self.rate * seconds:
                self._feel_upwards(tuning)
            self._begin(now)
        if self.rate * delay > 1 / tuning.margin:  # the delay alone keeps us under any limit we know
            self.rate = 0.0

    def refuse(
        self, stretches: Iterable[Stretch], interval: float, now: float, cost: float, tuning: Tuning = USUAL
    ) -> None:
        """Learn from a refusal: how many requests had been let through in which stretches of time before it.

        The longest stretch, the last one, reaches back to the last hold, or some steps. `interval` is what lay between
        two requests; `cost` is how long we pause from `now`.
        """
        stretches = tuple(stretches)
        asked = (
            1 / interval
            if interval > 0
            else max(max(count, 1) / max(length, tuning.shortest_stretch) for count, length in stretches)
        )
        self.bad = asked
        if self.steps:
            self.caution = 1.0 if self.step > tuning.bold * tuning.step else min(self.caution * 2, tuning.most_caution)
        rate = self._solve(stretches, asked, tuning) or self._guess(stretches, asked, cost, tuning)
        self.rate = self.good = max(min(rate, asked * tuning.margin), tuning.slowest)
        self.bad = max(self.bad, self.rate)
        self.step, self.steps, self.cost = tuning.step, 0, cost
        self._begin(now + cost)

    def _pause(self, tuning: Tuning) -> float:
        """Say how many seconds of the present rate come before the next step."""
        to_gain = max(self.bad / self.rate - 1 if self.bad else self.step, tuning.least_gain)
        worth_it = self.cost * tuning.pause_per_cost / to_gain**2 * self.caution
        return min(max(worth_it, tuning.stocks_between_steps * self._depth(tuning)), tuning.longest_pause)

    def _depth(self, tuning: Tuning) -> float:
        """Say how many seconds' worth of the present rate the service lets through at once."""
        if self.windowed:
            return self.count / self.rate * tuning.window_depth
        return min(max(self.count / self.rate - self.length, tuning.least_stock), tuning.most_stock)

    def _solve(self, stretches: tuple[Stretch, ...], asked: float, tuning: Tuning) -> float:
        """Solve this refusal and an earlier one for the rate; 0 where there is none, or they do not fit together."""
        longer = [(count - self.count, length - self.length) for count, length in stretches]
        longer = [(more, seconds) for more, seconds in longer if seconds >= tuning.sure]
        if not longer or not self.count or self.cost < tuning.filled or (self.windowed and self.steps):
            return 0.0
        least, seconds = max(((more - tuning.off) / seconds, seconds) for more, seconds in longer)
        most = least + 2 * tuning.off / seconds
        fits = most >= asked / tuning.too_slow
        self.windowed = not fits and not self.steps and self.count >= tuning.many
        if not fits:
            return 0.0
        self.bad = min(self.bad, most)
        return max(least * tuning.small_margin, min(asked / tuning.drop, most))

    def _guess(self, stretches: tuple[Stretch, ...], asked: float, cost: float, tuning: Tuning) -> float:
        """Say how fast to go on, as far as this refusal alone tells."""
        is_first, little_before = not self.count, self.rate and self.count < tuning.evidence
        depth = min(tuning.first_stock, cost) if is_first else cost  # a hold saves up no more than its length
        granted = max(count / max(length + depth, tuning.shortest_stretch) for count, length in stretches)
        if self.steps:
            return max(granted, self.good * tuning.small_margin)
        before = self.count
        self.count, self.length = max(stretches, key=lambda stretch: stretch[0] / (stretch[1] + tuning.first_stock))
        window = next((seconds for seconds in tuning.windows if self.length < seconds), 0.0)
        if self.windowed and (window == tuning.windows[0] or (window and self._is_again(before, tuning))):
            self.bad = self.count / window * tuning.window_open
            return max(granted, self.count / window * tuning.margin)
        if self.count >= tuning.evidence and not self.rate:
            return granted
        return max(
            granted, asked / (tuning.drop_again if little_before and self.count < tuning.evidence else tuning.drop)
        )

    def _is_again(self, before: int, tuning: Tuning) -> bool:
        """Say whether as many were let through as before an earlier refusal."""
        return abs(self.count - before) <= tuning.again * before

    def _feel_upwards(self, tuning: Tuning) -> None:
        self.good = self.rate
        to_gain = self.bad / self.rate - 1
        if to_gain > tuning.passed * tuning.step:
            self.step = min(max(to_gain / tuning.steps_to_known, tuning.step), tuning.longest_step_to_known)
        else:
            self.bad = 0.0
            self.step = min(self.step * 2, tuning.longest_step)
        self.rate *= 1 + self.step
        self.steps += 1

    def _begin(self, moment: float) -> None:
        self.accepted, self.stepped_at = 0, moment
