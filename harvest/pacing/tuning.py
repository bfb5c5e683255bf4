"""Every constant of the pace, with its unit and why it has that size. Pure.

`docs/pacing.md` has the equations they stand in. A share is of 1, a stock is what a service lets through at once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the pace is chosen, how holds grow, how the rate is felt upwards."""

    # After a refusal
    margin: float = 0.97  # share of the rate that was refused: never go on faster than this, also in a window
    small_margin: float = 0.99  # share of a rate that was solved or kept up: what was counted may be a little off
    evidence: int = 2  # requests; fewer let through say little about a rate
    drop: float = 2.0  # times slower after a refusal that says little: halving is enough for most
    drop_again: float = 4.0  # times slower after the next one in a row that says little: the limit is far below
    first_stock: float = 1.0  # seconds' worth taken for the stock, until more is known: the commonest size
    shortest_stretch: float = 0.05  # seconds; what came within less is taken for this long, so that no rate is endless
    filled: float = 10.0  # seconds of a hold after which a stock is taken for full
    sure: float = 2.0  # seconds that two stretches differ at least, to be solved: shorter ones are mostly chance
    off: float = 0.7  # requests by which a count may be off: one begun, one not yet judged
    too_slow: float = 2.5  # times; two refusals that solve to a rate so far below ours do not fit together
    many: int = 20  # requests; smaller counts agree by chance, and are not taken for those of a window
    windows: tuple[float, ...] = (10.0, 60.0, 300.0)  # seconds; one used up sooner is taken for the next of these
    again: float = 0.1  # share by which two numbers may differ to be the same: that of a window longer than the first
    window_open: float = 1.02  # times the rate of such a window that may still be granted
    window_depth: float = 0.25  # share of a window's worth that counts as stock: a step shows within one window
    slowest: float = 1 / 60  # requests a second; never learn to go more slowly, or nothing more would be learned

    # Steps upwards
    stride: int = 5  # accepted requests between two steps, at least: fewer prove nothing
    step: float = 0.01  # share by which the first step after a refusal raises the rate
    longest_step: float = 0.25  # share, where no limit is known: a lifted one is felt in time
    longest_step_to_known: float = 0.12  # share, towards a rate that is known to be too fast
    steps_to_known: float = 3.0  # a step takes one part of so many of the way to that rate
    passed: float = 0.2  # steps; a rate that was refused and is nearer than this has been passed
    bold: float = 2.0  # steps; a refused step longer than this is no sign that we are at the limit
    pause_per_cost: float = 0.03  # seconds between two steps for each second a refusal costs, at a gain of 100 %
    least_gain: float = 0.025  # share; what is to gain is taken for no less, or pauses would never end
    stocks_between_steps: float = 7.0  # stocks; a step of 1/7 too much would have used up one by then
    least_stock: float = 0.5  # seconds' worth
    most_stock: float = 16.0  # seconds' worth; more would mean pauses of minutes
    most_caution: float = 8.0  # times as long a pause, after steps that were refused one after the other
    longest_pause: float = 1800.0  # seconds between two steps
    used: float = 0.7  # share of the rate that has to be used for a step: what is not used is not proven

    # Holds
    growth: float = 2.0  # times as long as the last hold that helped nothing
    longest_hold: float = 900.0  # seconds of a hold that we choose
    longest_wish: float = 3600.0  # seconds; a service that wants more is not waited for
    shortest_wish: float = 1.0  # seconds; a service that says 0 stopped us all the same
    obeyed: int = 2  # holds as long as the service says, before they grow: it may have been unlucky
    jitter: tuple[float, float] = (1.0, 1.2)  # times our own holds: machines do not come back in step
    holds: int = 6  # in a row; the next refusal ends the run
    blocked_seconds: float = 60.0  # seconds for which that end counts for every process of the line
    alone_seconds: float = 120.0  # seconds; who went first after a hold and is silent for so long is not waited for
    new_hold: float = 0.5  # seconds by which a hold must have grown to be told of again

    # The line
    marks: int = 20  # starts remembered for counting stretches, the most recent ones: they reach back over any stock
    between_marks: float = 0.2  # seconds between two of them
    levels: int = 3  # paces remembered before the present one, by their first start: the solved stretch is long
    far_ahead: float = 60.0  # seconds and ten intervals; a free place further off is a clock that was put back
    finest: float = 1e-5  # seconds; wall clocks are no finer
    gentle: float = 2.0  # requests out at once at the beginning, while no limit is known
    gentle_growth: float = 0.5  # requests more at once for each that was accepted
    open: float = 64.0  # requests at once; so many are no opening any more
    busy_pause: float = 0.005  # seconds until a line that another process is changing is asked again


USUAL = Tuning()
