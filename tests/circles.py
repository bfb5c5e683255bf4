"""A second maker of made-up SoundClouds: circles of unlike size, heavy tails, and hits that draw the busy ones.

Unlike the simulator's own layers, these graphs are drawn edge by edge and held in memory, so they are for small worlds.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate

from harvest.simulator import World


class Drawn:
    """A graph that is there, edge by edge: who is joined to what, readable from both ends."""

    def __init__(self, rights: Sequence[set[int]], right: int) -> None:
        self._rights = rights
        self._lefts: list[set[int]] = [set() for _ in range(right)]
        for left, names in enumerate(rights):
            for name in names:
                self._lefts[name].add(left)

    def rights(self, node: int) -> set[int]:
        """Return what a left node is joined to."""
        return self._rights[node]

    def lefts(self, node: int) -> set[int]:
        """Return what a right node is joined to."""
        return self._lefts[node]


def circles(
    seed: int, *, users: int, tracks: int, likes: float, tail: float, loyal: float, steep: float, **options: object
) -> World:
    """Make a world.

    `likes` is the median of likes per person and `tail` how unequal people are (the spread of the logarithm); so many
    likes are of one's own circle as `loyal` says; popularity falls with rank to the power of `steep`. Track 0 is liked
    by busy people of one circle above all.
    """
    chance = random.Random(seed)
    homes = _homes(chance, users)
    circle_of_track = _homes(chance, tracks)
    per_circle: dict[int, list[int]] = {}
    for track in range(1, tracks):
        per_circle.setdefault(circle_of_track[track], []).append(track)
    ways = {home: (own, _falling(len(own), steep)) for home, own in per_circle.items()}
    everywhere = list(range(1, tracks))
    chance.shuffle(everywhere)
    anywhere = (everywhere, _falling(len(everywhere), steep))

    def drawn(mean: float, fans: int) -> Drawn:
        rights: list[set[int]] = []
        wanted = []
        for user in range(users):
            n = min(int(chance.lognormvariate(0, tail) * mean + chance.random()), tracks // 2)
            wanted.append(n)
            own = sum(chance.random() < loyal for _ in range(n))
            found = set()
            for many, (names, weights) in ((own, ways.get(homes[user], anywhere)), (n - own, anywhere)):
                found.update(chance.choices(names, cum_weights=weights, k=many))
            rights.append(found)
        keen = [(wanted[user] + 1) * (5 if homes[user] == homes[0] else 1) for user in range(users)]
        ranked = sorted(range(users), key=lambda user: chance.random() ** (1 / keen[user]), reverse=True)
        for user in ranked[:fans]:
            rights[user].add(0)
        return Drawn(rights, tracks)

    fans, reposting = int(options.pop("fans")), int(options.pop("reposting"))  # type: ignore[call-overload]
    graphs = {"like": drawn(likes, fans), "repost": drawn(likes / 8, reposting)}
    return World(seed, users=users, tracks=tracks, graphs=graphs, **options)


def _homes(chance: random.Random, n: int) -> list[int]:
    """Give everybody a circle; a few circles are large and many are small."""
    sizes = [1 / (circle + 1) for circle in range(max(2, int(n**0.4)))]
    return chance.choices(range(len(sizes)), weights=sizes, k=n)


def _falling(n: int, steep: float) -> list[float]:
    """Give the weights of so many ranks, added up."""
    return list(accumulate((rank + 2) ** -steep for rank in range(n)))
