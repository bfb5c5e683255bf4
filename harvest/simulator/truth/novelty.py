"""Whether little of what the next person likes would be new, as a sample tells. Pure, and as plain as the definition.

Rules:

1. Of n people out of `population`, with u likes in all, a tracks that one of them likes and b that two like: of the
   next one's likes, a / u * A are expected to be new, where A = (n - 1) a / ((n - 1) a + 2 b). Where b is 0, A is
   (n - 1)(a - 1) / ((n - 1)(a - 1) + 2), and 1 if a is 1.
2. Its standard error e: for each person, the tracks that they alone like, less a / u of all they like, squared; the
   sum times n / (n - 1); and for each ordered pair of people the tracks that these two alone like, squared. The root of
   both sums together, divided by u, and times the root of population / (population - n).
3. The upper end of its interval is the square of r + t e / (2 r), where r is the root of the share, and t e where the
   share is 0; 1 at most. t is the 97.5 % point of Student's distribution with 2 n / (k - 1) degrees of freedom, 2 at
   least, k being n times the fourth powers of what is squared for each person, over the square of the sum of the
   squares: the first terms of its expansion in the 97.5 % point z of the normal distribution.
4. It is little when the upper end stays below what was asked for. Where a share is unknown, with one person or without
   likes, it is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from math import inf, sqrt
from statistics import NormalDist


def is_little(lists: Sequence[Sequence[int]], population: int, asked_for: float) -> bool:
    """Say whether less than asked for of the next one's likes would be new, for sure."""
    share = _new(lists)
    if share is None:
        return False
    likers: dict[int, set[int]] = {}
    for person, liked in enumerate(lists):
        for track in liked:
            likers.setdefault(track, set()).add(person)
    n, u = len(lists), sum(map(len, lists))
    alone = [sum(likers[track] == {person} for track in liked) for person, liked in enumerate(lists)]
    off = [mine - sum(alone) / u * len(liked) for mine, liked in zip(alone, lists, strict=True)]
    couples = Counter(couple for who in likers.values() if len(who) == 2 for couple in permutations(who))
    spread = n / (n - 1) * sum(one**2 for one in off) + sum(shared**2 for shared in couples.values())
    reach = _student(off) * sqrt(spread) / u * sqrt(population / (population - n))
    if share == 0:
        return reach < asked_for
    return min(1.0, (sqrt(share) + reach / (2 * sqrt(share))) ** 2) < asked_for


def _student(off: Sequence[float]) -> float:
    n, squares = len(off), sum(one**2 for one in off)
    k = n * sum(one**4 for one in off) / squares**2 if squares else 1
    f = max(2.0, 2 * n / (k - 1)) if k > 1 else inf
    z = NormalDist().inv_cdf(0.975)
    terms = [z, (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384]
    return sum(term / f**power for power, term in enumerate(terms))


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
