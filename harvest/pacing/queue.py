"""Say who may start when: the line of all requests, of one process or of several. Pure.

Everything in here is plain values, so that it can live in memory or in a file that processes share. Times are seconds
on one clock, whose owner passes `now`. `docs/pacing.md` has the equations, `tuning.py` their constants.

Rule 1. Starts lie one interval apart, in the order in which places were taken, across all processes.
Rule 2. A refusal stops all requests. A later, shorter hold never shortens an earlier one.
Rule 3. After a hold one request goes alone; the others follow when it is answered without complaint.
Rule 4. Refusals of requests that started before a hold belong to that hold.
Rule 5. After six holds in a row the next refusal ends the run; what is stored stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harvest.pacing.rate_learning import Allowance, Stretch
from harvest.pacing.tuning import USUAL, Tuning


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to start one request. `hold` counts the holds before it, `number` the starts since the last one."""

    started: float
    hold: int
    number: int = 0
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the line: when it is its turn, if nothing happens meanwhile."""

    start: float
    wait: float
    interval: float
    hold: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """The service said stop: for how long (None: it does not say), why, and how long we wait in that case.

    `too_fast` says whether it teaches anything about the rate; `stretch` is the jitter, 1 or a little more.
    """

    seconds: float | None
    reason: str
    base: float = 30.0
    stretch: float = 1.0
    too_fast: bool = True

    def length(self, row: int, tuning: Tuning = USUAL) -> float:
        """Say how many seconds to hold: the service's word, longer only when obeying it twice was not enough."""
        if self.seconds is not None:
            longest = max(self.seconds, tuning.longest_hold)
            obeyed = max(self.seconds, tuning.shortest_wish)
            return float(min(obeyed * tuning.growth ** max(0, row - tuning.obeyed), longest))
        return min(self.base * tuning.growth ** (row - 1), max(tuning.longest_hold, self.base)) * self.stretch


@dataclass(slots=True)
class Turns:
    """The line."""

    allowance: Allowance = field(default_factory=Allowance)
    delay: float = 0.0  # of the slowest who stand in it
    free_at: float = 0.0
    last: float = 0.0  # when the latest request really started, which may be later than planned
    number: int = 0  # starts since the last hold
    marks: list[tuple[float, int]] = field(default_factory=list)  # when which of them was: some recent ones
    levels: list[tuple[float, int]] = field(default_factory=list)  # and the first ones at the latest paces
    holds: int = 0  # ever
    row: int = 0  # holds without a success between them
    hold_until: float = 0.0
    hold_reason: str = ""
    testing: bool = False  # a hold was, and nothing was accepted since
    alone: str = ""  # who goes first after it
    alone_at: float = 0.0  # since when
    blocked: str = ""
    blocked_at: float = 0.0

    @property
    def interval(self) -> float:
        """Seconds between two starts."""
        return max(self.delay, self.allowance.interval)

    def reserve(self, now: float, who: str, tuning: Tuning = USUAL) -> Place | None:
        """Take the next place; None while another request goes alone, and when there is nothing left to wait for."""
        self._forget_the_impossible(now, tuning)
        if self.blocked:
            return None
        if self.testing:
            if self.alone and now - max(self.alone_at, self.hold_until) < tuning.alone_seconds:
                return None
            self.alone, self.alone_at = who, now
        start = max(now, self.hold_until, self.free_at, self.last + self.interval)
        self.free_at = start + self.interval
        return Place(start, start - now, self.interval, self.holds)

    def left(self, now: float, tuning: Tuning = USUAL) -> float:
        """Say how many seconds the request whose turn has come still has to wait, after whatever happened meanwhile."""
        left = max(self.hold_until, self.last + self.interval) - now
        return left if left > tuning.finest else 0.0

    def go(self, now: float, tuning: Tuning = USUAL) -> Slot:
        """Start the request whose turn it is."""
        self.number += 1
        mark = (now, self.number)
        if not self.marks or now - self.marks[-1][0] >= tuning.between_marks:
            self.marks = [*self.marks[-tuning.marks :], mark]
        if not self.levels or self.levels[-1][0] < self.allowance.stepped_at:
            self.levels = [*self.levels[-tuning.levels :], mark]
        self.last = now
        self.free_at = max(self.free_at, now + self.interval)
        return Slot(now, self.holds, self.number, self.testing)

    def give_back(self, place: Place, who: str) -> None:
        """Return a place that was not used; it is taken back unless a later one is taken already."""
        if self.free_at == place.start + place.interval:
            self.free_at = place.start
        if self.alone == who and place.hold == self.holds:
            self.alone = ""

    def accept(self, slot: Slot) -> None:
        """Note a request that was answered without complaint; after a hold this lets the others go."""
        if slot.hold == self.holds and self.testing:
            self.testing, self.alone, self.row, self.hold_reason = False, "", 0, ""

    def fail(self, slot: Slot) -> None:
        """Note a request that ended without saying anything about our pace; if it went alone, another one may."""
        if slot.hold == self.holds and slot.alone:
            self.alone = ""

    def refuse(self, refusal: Refusal, slot: Slot | None, now: float, tuning: Tuning = USUAL) -> None:
        """Stop all requests. `slot` is the place of the request that was refused."""
        if slot is not None and slot.hold < self.holds:  # asked before the hold it is late for
            if refusal.seconds is not None:
                self._stop_until(now + min(refusal.seconds, tuning.longest_wish), refusal.reason)
            return
        self.row += 1
        length = refusal.length(self.row, tuning)
        if refusal.too_fast and not (slot and slot.alone):  # that one says that the hold was too short, no more
            self.allowance.refuse(self._stretches(slot), self.interval, now, length, tuning)
        self.holds += 1
        self.number, self.marks, self.levels = 0, [], []
        self.testing, self.alone = True, ""
        if self.row > tuning.holds or length > tuning.longest_wish:
            self._give_up(refusal.reason, length, now, tuning)
        else:
            self._stop_until(now + length, refusal.reason)

    def shift(self, seconds: float) -> None:
        """Follow a clock that was put forward or, by less than nothing, back."""
        for name in ("free_at", "last", "hold_until", "alone_at", "blocked_at"):
            setattr(self, name, getattr(self, name) + seconds)
        self.marks = [(moment + seconds, number) for moment, number in self.marks]
        self.levels = [(moment + seconds, number) for moment, number in self.levels]
        self.allowance.stepped_at += seconds

    def begin_anew(self) -> None:
        """Let the first process of a new run ask, whatever the last one was told; holds and the rate stay."""
        self.row, self.alone, self.blocked = 0, "", ""

    def _stretches(self, slot: Slot | None) -> list[Stretch]:
        """Say how many requests started in which stretches before a slot, the longest stretch last."""
        if slot is None:
            return [(0, 0.0)]
        return [
            (slot.number - number, max(slot.started - moment, 0.0))
            for moment, number in sorted(self.levels + self.marks, reverse=True)
            if number <= slot.number
        ] or [(0, 0.0)]

    def _stop_until(self, moment: float, reason: str) -> None:
        self.hold_until = max(self.hold_until, moment)
        self.hold_reason = reason

    def _give_up(self, reason: str, length: float, now: float, tuning: Tuning) -> None:
        if length > tuning.longest_wish:
            why = f"{reason} for {length / 60:.0f} minutes"
        else:
            why = f"{reason}; {tuning.holds} pauses in a row did not help"
        self.blocked = f"{why}. Everything fetched so far is kept; continue later with `harvest resume`."
        self.blocked_at = now

    def _forget_the_impossible(self, now: float, tuning: Tuning) -> None:
        if self.blocked and not 0 <= now - self.blocked_at <= tuning.blocked_seconds:
            self.begin_anew()
        if self.hold_until > now + tuning.longest_wish + 1:
            self.hold_until = now
        if self.last > now + tuning.finest:
            self.last = now
        if self.free_at > max(now, self.hold_until) + tuning.far_ahead + 10 * self.interval:
            self.free_at = now
