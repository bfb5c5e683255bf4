"""Turn counts into curves on logarithmic axes, and values into places on them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harvest.report.rows import Bucket

_LEAST_DECADES = 1


def reaching(buckets: Sequence[Bucket]) -> list[tuple[int, float]]:
    """Give (value, share that has so much or more) for every value above 0, rising; zeros count in the whole.

    The buckets are rising; their values may be cut downwards, which leaves every point exact.
    """
    whole = left = sum(bucket.n for bucket in buckets)
    points = []
    for value, n in buckets:
        if value > 0:
            points.append((value, left / whole))
        left -= n
    return points


def middle(buckets: Sequence[Bucket]) -> int:
    """Give the median, cut to two significant digits as the buckets are; 0 of nothing."""
    half = sum(bucket.n for bucket in buckets) / 2
    passed = 0
    for value, n in buckets:
        passed += n
        if passed >= half and passed:
            return value
    return 0


@dataclass(frozen=True, slots=True)
class LogAxis:
    """A logarithmic axis from 10^low to 10^high, drawn from `start` to `end`. It may begin between powers of ten."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Give where a value lies; values outside lie on the border."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    @property
    def decades(self) -> list[int]:
        """Give the powers of ten on it, as exponents."""
        return list(range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1))


def axis_up_to(most: float, start: float, end: float) -> LogAxis:
    """Make an axis from 1 to the power of ten that holds the largest value."""
    return LogAxis(0, max(_LEAST_DECADES, math.ceil(math.log10(max(most, 1)) - 1e-9)), start, end)


def axis_down_to(least: float, start: float, end: float) -> LogAxis:
    """Make an axis from the smallest share up to 1, a decade at least. Down to the power of ten below, a curve that
    ends at one person of 1,295 would seem to end at 0.01 %.
    """
    return LogAxis(min(-_LEAST_DECADES, math.log10(least)), 0, start, end)


def steps(points: Sequence[tuple[int, float]], x: LogAxis, y: LogAxis) -> str:
    """Write the path of a curve that goes down in steps: exact between the points too. It ends at its last point: a
    share of zero cannot be drawn.
    """
    parts: list[str] = []
    height = y.place(1.0)
    for value, share in points:
        across, down = x.place(value), y.place(share)
        parts.append(f"M{x.start:.1f} {height:.1f}H{across:.1f}" if not parts else f"H{across:.1f}")
        if abs(down - height) >= 0.05:
            parts.append(f"V{down:.1f}")
            height = down
    return "".join(parts)
