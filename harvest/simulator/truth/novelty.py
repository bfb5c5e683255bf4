"""Whether little of what the next person likes would be new, as a sample tells. Pure, and as plain as the definition.

Rules:

1. Of n people out of `everybody`, with u likes in all, a tracks that one of them likes and b that two like: of the next
   one's likes, a / u * A are expected to be new, where A = (n - 1) a / ((n - 1) a + 2 b). Where b is 0, A is
   (n - 1)(a - 1) / ((n - 1)(a - 1) + 2), and 1 if a is 1.
2. Its standard error: each of the n is left out in turn and the share worked out again; the squares of how far these
   shares lie from their mean, summed, times (n - 1) / n, times everybody / (everybody - n), under the root.
3. It is little when the share and 1.96 standard errors (to be exact, the 97.5 % point of the normal distribution), 1 at
   most, stay below what was asked for. Where a share is unknown, with one person or without likes, it is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist


def is_little(lists: Sequence[Sequence[int]], everybody: int, asked_for: float) -> bool:
    """Say whether less than asked for of the next one's likes would be new, for sure."""
    share = _new(lists)
    others = [_new([*lists[:place], *lists[place + 1 :]]) for place in range(len(lists))]
    known = [other for other in others if other is not None]
    if share is None or len(known) < len(others):
        return False
    n, mean = len(known), sum(known) / len(known)
    error = sqrt((n - 1) / n * sum((other - mean) ** 2 for other in known) * everybody / (everybody - n))
    return min(1.0, share + NormalDist().inv_cdf(0.975) * error) < asked_for


def _new(lists: Sequence[Sequence[int]]) -> float | None:
    likers = Counter(track for one in lists for track in one)
    n, u = len(lists), sum(likers.values())
    a, b = (sum(likers[track] == times for track in likers) for times in (1, 2))
    if n < 2 or u == 0:
        return None
    if a == 0:
        return 0.0
    if b == 0:
        adjusted = (n - 1) * (a - 1) / ((n - 1) * (a - 1) + 2) if a > 1 else 1.0
    else:
        adjusted = (n - 1) * a / ((n - 1) * a + 2 * b)
    return a / u * adjusted
