"""How much of a population's likes a sample of its people has seen, and how much the next person would add. Pure.

A person is a unit, a track a species; a sample holds the liked tracks of n people drawn by lot out of N.

- The share of the next person's likes that would be new: Turing's estimate with the correction of Chao and Jost for
  sampling units (Chao & Jost 2012, Ecology 93:2533; Chao & Colwell 2017, SORT 41:3, eq. 4).
- Its interval: the delete-one jackknife over people (Efron & Tibshirani 1993, ch. 11). What is to be covered is the
  share among those who are left, who are N - n people and no more, so the variance is that of a difference of two means
  of parts of one population: larger by N / (N - n) (Cochran 1977, Sampling Techniques, 2.5).
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
SURE = NormalDist().inv_cdf(0.975)  # standard errors to either side of a 95 % interval


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a sample of `people` out of `population` says. Shares lie between 0 and 1.

    `new_share` is the share of the next person's likes that would be new, between `low` and `high` (95 %); all three
    are None where the sample says nothing of it, as with one person, and 0 where nobody is left.
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
    """A sample that grows by person after person: what each likes, and how many tracks one, two and three of them like.

    It holds eight bytes of each like.
    """

    def __init__(self) -> None:
        self.lists: list[array[int]] = []
        self.likers: Counter[int] = Counter()
        self.likes = 0
        self._by_likers = [0] * 5  # tracks that one, two, three, and four or more like; the first takes what is left

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
    def once_twice_thrice(self) -> tuple[int, int, int]:
        """Count the tracks that one of them likes, that two do, that three do."""
        _, once, twice, thrice, _ = self._by_likers
        return once, twice, thrice

    def interval(self, population: int) -> tuple[float | None, float | None, float | None]:
        """Give what `Coverage` says of the share of the next person's likes that would be new: it, `low`, `high`."""
        n, (once, twice, thrice) = len(self.lists), self.once_twice_thrice
        if n == population:
            return 0.0, 0.0, 0.0
        share = new_share(n, self.likes, once, twice)
        if share is None:
            return None, None, None
        error = _jackknife(self.lists, self.likers, (self.likes, once, twice, thrice))
        if error is None:
            return share, None, None
        reach = SURE * error * sqrt(population / (population - n))
        return share, max(0.0, share - reach), min(1.0, share + reach)

    def is_below(self, bound: float, population: int) -> bool:
        """Say whether the upper end of the interval lies below a bound. Where the share itself does not, that is said
        without going through the likes again.
        """
        n, (once, twice, _) = len(self.lists), self.once_twice_thrice
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
    n, tracks, (once, twice, _) = len(counted.lists), len(counted.likers), counted.once_twice_thrice
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


def _jackknife(kept: Sequence[array[int]], likers: Counter[int], sums: tuple[int, int, int, int]) -> float | None:
    """Give the standard error of the new share: how it moves when one person after another is left out.

    Without somebody, the tracks they alone like are gone, those that two like are liked by one, and so on.
    """
    n, (likes, once, twice, _) = len(kept), sums
    without = []
    for one in kept:
        sizes = Counter(map(likers.__getitem__, one))
        share = new_share(n - 1, likes - len(one), once - sizes[1] + sizes[2], twice - sizes[2] + sizes[3])
        if share is None:
            return None
        without.append(share)
    mean = sum(without) / n
    return sqrt((n - 1) / n * sum((share - mean) ** 2 for share in without))
