"""How much of a population's likes a sample of its people has seen, and how much the next person would add. Pure.

A person is a unit, a track a species; a sample holds the liked tracks of n people drawn by lot out of N.

- The share of the next person's likes that would be new: Turing's estimate with the correction of Chao and Jost for
  sampling units (Chao & Jost 2012, Ecology 93:2533; Chao & Colwell 2017, SORT 41:3, eq. 4).
- Its interval holds what the next person brings, which depends on who was drawn, too. Esty's variance, with people in
  place of single likes (Esty 1983, Annals of Statistics 11:905: (q1 + 2 q2 - q1^2 / n) / n^2):
  [n / (n - 1) sum of e^2 + sum of d^2] / U^2, where e is how many tracks a person likes alone less q1 / U of all they
  like, and d how many a pair likes alone, of either order. Those who are left are N - n people and no more, so it is
  larger by N / (N - n) (Cochran 1977, Sampling Techniques, 2.5).
- A few people hold most of what is rare: the error is Student's, with the degrees of freedom that the scatter of e
  leaves, 2 n / (kurtosis - 1) (Satterthwaite 1946, Biometrics 2:110), on the scale of square roots, as that of counts.
- Distinct tracks in all: the lower bound of Chao and Lin for sampling without replacement (Chao & Lin 2012,
  Biometrics 68:912; Chao & Chiu 2016, Wiley StatsRef).
- Core tracks, those that five or more of the N like: each of them is in a sample of n with the probability that n
  people out of N meet one of five (hypergeometric), at least.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CORE = 5  # likers among the population that make a track a core track
SURE = NormalDist().inv_cdf(0.975)  # standard errors to either side of a 95 % interval of a large sample


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a sample of `people` out of `population` says. Shares lie between 0 and 1.

    `new_share` is the share of the next person's likes that would be new, between `low` and `high` (95 %); all three
    are None where the sample says nothing of it, as with one person, and 0 where no one is left.
    """

    people: int
    population: int
    likes: int
    tracks: int
    once: int  # tracks that one of them likes
    twice: int  # tracks that two of them like
    new_share: float | None
    low: float | None
    high: float | None
    tracks_at_least: int  # distinct tracks that the population likes
    core_at_least: float  # share of the population's core tracks that the sample holds


class Counted:
    """A sample that grows by person after person: what each likes, and how many tracks one and two of them like.

    It holds eight bytes of each like.
    """

    def __init__(self) -> None:
        self.lists: list[array[int]] = []
        self.likers: Counter[int] = Counter()
        self.likes = 0
        self._by_likers = [0] * 4  # tracks that one, two, and three or more like; the first takes what is left

    def add(self, tracks: Sequence[int]) -> None:
        """Add a person by the tracks they like, each once."""
        self.lists.append(array("q", tracks))
        self.likes += len(tracks)
        likers, by_likers = self.likers, self._by_likers
        for track in tracks:
            n = likers[track] = likers[track] + 1
            if n < len(by_likers):
                by_likers[n - 1] -= 1
                by_likers[n] += 1

    @property
    def once_and_twice(self) -> tuple[int, int]:
        """Count the tracks that one of them likes, and those that two do."""
        _, once, twice, _ = self._by_likers
        return once, twice

    def interval(self, population: int) -> tuple[float | None, float | None, float | None]:
        """Give what `Coverage` says of the share of the next person's likes that would be new: it, `low`, `high`."""
        n, (once, twice) = len(self.lists), self.once_and_twice
        if n == population:
            return 0.0, 0.0, 0.0
        share = new_share(n, self.likes, once, twice)
        if share is None:
            return None, None, None
        error, freedom = self._error(once)
        reach = student(freedom) * error * sqrt(population / (population - n))
        if not share:
            return 0.0, 0.0, min(1.0, reach)
        root, reach = sqrt(share), reach / (2 * sqrt(share))
        return share, max(0.0, root - reach) ** 2, min(1.0, (root + reach) ** 2)

    def _error(self, once: int) -> tuple[float, float]:
        """Give the standard error of the share against what the next person brings, and its degrees of freedom."""
        n, share = len(self.lists), once / self.likes
        squares = fourths = 0.0
        first: dict[int, int] = {}
        pairs: Counter[tuple[int, int]] = Counter()
        for place, one in enumerate(self.lists):
            alone = 0
            for track in one:
                likers = self.likers[track]
                if likers == 1:
                    alone += 1
                elif likers == 2:
                    other = first.setdefault(track, place)
                    if other != place:
                        pairs[other, place] += 1
            square = (alone - share * len(one)) ** 2
            squares, fourths = squares + square, fourths + square**2
        both = 2 * sum(number**2 for number in pairs.values())
        kurtosis = n * fourths / squares**2 if squares else 1.0
        freedom = 2 * n / (kurtosis - 1) if kurtosis > 1 else float("inf")
        return sqrt(n / (n - 1) * squares + both) / self.likes, freedom

    def is_below(self, bound: float, population: int) -> bool:
        """Say whether the upper end of the interval lies below a bound. Where the share itself does not, that is said
        without going through the likes again.
        """
        n, (once, twice) = len(self.lists), self.once_and_twice
        share = new_share(n, self.likes, once, twice)
        if n < population and (share is None or share >= bound):
            return False
        high = self.interval(population)[2]
        return high is not None and high < bound


def coverage(lists: Iterable[Sequence[int]], population: int) -> Coverage:
    """Judge a sample by the tracks that each of its people likes, each track once; one list per person, some empty.

    It goes through the likes twice. Raises ValueError where the sample is larger than the population.
    """
    counted = Counted()
    for one in lists:
        counted.add(one)
    n, tracks, (once, twice) = len(counted.lists), len(counted.likers), counted.once_and_twice
    if n > population:
        raise ValueError(f"a sample of {n} people out of {population}")
    share, low, high = counted.interval(population)
    return Coverage(
        people=n,
        population=population,
        likes=counted.likes,
        tracks=tracks,
        once=once,
        twice=twice,
        new_share=share,
        low=low,
        high=high,
        tracks_at_least=round(at_least(n, population, tracks, once, twice)),
        core_at_least=core_seen(n, population),
    )


def new_share(n: int, likes: int, once: int, twice: int) -> float | None:
    """Give the share of the next person's likes that would be new, after n people; None where that is unknown.

    q1 / U * A, where A = (n - 1) q1 / ((n - 1) q1 + 2 q2), and (n - 1) (q1 - 1) / ((n - 1) (q1 - 1) + 2) where no track
    is liked by two; with a single one that is liked by one, A is 1, which is Turing's own estimate.
    """
    if n < 2 or not likes:
        return None
    if once <= 1 and not twice:
        return once / likes
    singles, rest = (once, 2 * twice) if twice else (once - 1, 2)
    return once / likes * (n - 1) * singles / ((n - 1) * singles + rest) if once else 0.0


def at_least(n: int, population: int, tracks: int, once: int, twice: int) -> float:
    """Give a lower bound of the distinct tracks that the population likes, whose sample of n likes `tracks` of them.

    S + q1^2 / (n / (n - 1) 2 q2 + f / (1 - f) q1), f = n / N: what it adds is 0 when all N are read.
    """
    if n < 2 or n >= population or not once:
        return float(tracks)
    return tracks + once**2 / (n / (n - 1) * 2 * twice + n / (population - n) * once)


def core_seen(n: int, population: int, likers: int = CORE) -> float:
    """Give the probability that a sample of n out of N holds one of so many people, of any track with `likers` at
    least: 1 - C(N - likers, n) / C(N, n).
    """
    missed = 1.0
    for place in range(min(likers, population)):
        missed *= max(0, population - n - place) / (population - place)
    return 1 - missed


def student(freedom: float) -> float:
    """Give how many standard errors lie to either side of a 95 % interval: the 97.5 % point of Student's distribution.

    By its expansion (Fisher & Cornish 1960, Technometrics 2:209); with less than two degrees of freedom, that of two.
    """
    z, f = SURE, max(freedom, 2.0)
    return (
        z
        + (z**3 + z) / (4 * f)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * f**3)
    )
