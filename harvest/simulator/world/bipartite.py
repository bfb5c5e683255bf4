"""Who is joined to what: power-law graphs that are computed from either end and never stored. Pure.

Rule 1. Left nodes (who likes) are ordered by activity, right nodes (what is liked) by popularity; 0 is first.
Rule 2. A graph is a stack of layers. In a layer the first n left nodes hold m stubs each, so that the number of
        layers a node takes part in gives its degree, and degrees follow a Lomax power law.
Rule 3. A layer shuffles its stubs over a line. Each right node owns a stretch of that line, as wide as it is
        popular, and the bounds have a closed form. From the left: stub, place, owner. From the right: stretch,
        places, stubs. Both walk the same whole numbers, so they always agree.
Rule 4. A local layer joins nodes of one community only; node i belongs to community i modulo their number.
Rule 5. The hit, right node 0, is left out of the layers; a wanted number of left nodes is joined to it instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, log
from typing import NamedTuple

from harvest.simulator.world.prng import Shuffle, salt, share_of

_EXPONENT = 0.2  # popularity of rank r falls as (r + q) ** (_EXPONENT - 1)
BUSIEST = 20  # the most that a person likes, in multiples of the mean
_CLOSE = 1e-4
_GROWTH = 0.2  # layers widen by this much, so that their number stays small


class Popularity:
    """Split a line among `size` owners, the first ones wide, the last ones narrow."""

    __slots__ = ("_high", "_low", "_q", "size")

    def __init__(self, size: int, top: float) -> None:
        self.size = size
        self._q = _shift_for(size, top)
        self._low = self._q**_EXPONENT
        self._high = (size + self._q) ** _EXPONENT

    def share(self, rank: int) -> float:
        """Return which part of the line the owners before this one hold together."""
        if rank <= 0:
            return 0.0
        if rank >= self.size:
            return 1.0
        part: float = ((rank + self._q) ** _EXPONENT - self._low) / (self._high - self._low)
        return part

    def stretch(self, rank: int) -> tuple[float, float]:
        """Return where on the line an owner's stretch begins and ends."""
        return self.share(rank), self.share(rank + 1)

    def owner(self, place: int, places: int, phase: float) -> int:
        """Return whose place it is: the one whose stretch, as told by `first_place`, holds it."""
        share = min((place + phase) / places, 1.0)
        exact = (share * (self._high - self._low) + self._low) ** (1 / _EXPONENT) - self._q
        rank = min(max(int(exact), 0), self.size - 1)
        if not _CLOSE < exact - rank < 1 - _CLOSE:  # so near a bound, rounding decides: ask the bounds themselves
            while first_place(self.share(rank), places, phase) > place:
                rank -= 1
            while first_place(self.share(rank + 1), places, phase) <= place:
                rank += 1
        return rank


def first_place(share: float, places: int, phase: float) -> int:
    """Return the first place behind so much of a line; the phase shifts the bounds, a little less than one place."""
    return ceil(share * places - phase)


def _shift_for(size: int, top: float) -> float:
    """Find the shift q with which the first owner has the wanted share of the line."""
    low, high = -7.0, log(max(size, 2)) + 14
    for _ in range(60):
        q = 2.718281828459045 ** ((low + high) / 2)
        share = ((1 + q) ** _EXPONENT - q**_EXPONENT) / ((size + q) ** _EXPONENT - q**_EXPONENT)
        low, high = ((low + high) / 2, high) if share > top else (low, (low + high) / 2)
    return float(2.718281828459045 ** ((low + high) / 2))


@dataclass(frozen=True, slots=True)
class Layer:
    """The first `nodes` left nodes hold `stubs` stubs each."""

    nodes: int
    stubs: int
    local: bool
    chance: int


@dataclass(frozen=True, slots=True)
class Habit:
    """How eager left nodes are: mean degree, how unequal they are (0 all alike, 1 power law), taste for their own."""

    mean: float
    spread: float = 1.0
    share_local: float = 0.0
    top: float = 0.25

    def nodes_with(self, degree: float, left: int) -> int:
        """Return how many left nodes have at least this degree (closed form of the Lomax tail)."""
        if self.mean <= 0:
            return 0
        excess = degree / self.mean - (1 - self.spread)
        if excess <= 1e-9:
            return left
        if self.spread <= 0:
            return 0
        return min(left, floor(left * (1 + excess / self.spread / 2) ** -3 + 0.5))

    def popularity(self, size: int, *, local: bool) -> Popularity:
        """Return how so many right nodes share what local layers bring them, or the others."""
        share = self.share_local if local else 1 - self.share_local
        return Popularity(size, self.top / max(self.mean * share, 1.0))


class Layout(NamedTuple):
    """How one graph is laid out; `hit` is the number of left nodes joined to right node 0."""

    left: int
    right: int
    habit: Habit
    communities: int = 1
    hit: int | None = None


def layers_for(habit: Habit, left: int, right: int, chance: int) -> list[Layer]:
    """Stack the layers that give the wanted degrees."""
    layers: list[Layer] = []
    top = min(BUSIEST * habit.mean, right)
    whole = max(1, round(habit.mean))
    total, local = 0, 0.5
    while total < top:
        stubs = max(1, int(total * _GROWTH))
        if total < whole < total + stubs:
            stubs = whole - total
        nodes = habit.nodes_with(total + stubs / 2 if habit.spread > 0 else total + stubs, left)
        if nodes == 0:
            break
        local += habit.share_local
        layers.append(Layer(nodes, stubs, local >= 1, salt(chance, len(layers))))
        local -= local >= 1
        total += stubs
    return layers


class Slots:
    """One layer within one community (or within all of them): the stubs and their owners."""

    __slots__ = ("_phase", "_popularity", "_shuffle", "_stubs", "_width")

    def __init__(self, nodes: int, stubs: int, popularity: Popularity, chance: int) -> None:
        self._stubs = stubs
        self._width = nodes * stubs
        self._shuffle = Shuffle(self._width, chance)
        self._phase = share_of(salt(chance, "phase"))
        self._popularity = popularity

    def owners(self, node: int) -> Iterator[int]:
        """Yield the right ranks that a left node is joined to; a rank may come twice."""
        owner, to, width, phase = self._popularity.owner, self._shuffle.to, self._width, self._phase
        for stub in range(node * self._stubs, (node + 1) * self._stubs):
            yield owner(to(stub), width, phase)

    def nodes(self, stretch: tuple[float, float]) -> list[int]:
        """Return the left nodes whose stubs lie on a stretch of the line; a node may come twice."""
        width, stubs, back, phase = self._width, self._stubs, self._shuffle.back, self._phase
        first, last = ceil(stretch[0] * width - phase), ceil(stretch[1] * width - phase)  # the phase is less than 1
        return [back(place) // stubs for place in range(first, last)]


class Bipartite:
    """A graph between `left` and `right`, readable from both ends."""

    def __init__(
        self, left: int, right: int, habit: Habit, chance: int, *, communities: int = 1, hit: int | None = None
    ) -> None:
        self.left, self.right = left, right
        self.communities = communities
        self._habit = habit
        self._layers = layers_for(habit, left, right, chance)
        self._slots: dict[tuple[int, int], Slots] = {}
        self._owners: dict[tuple[int, bool], Popularity] = {}
        self._hit = hit
        self._fans = Shuffle(left, salt(chance, "fans"))

    def rights(self, node: int) -> set[int]:
        """Return what a left node is joined to."""
        found: set[int] = set()
        for number, layer in enumerate(self._layers):
            if node >= layer.nodes:
                break
            if layer.local:
                count = self.communities
                own = node % count
                found.update(own + count * rank for rank in self._in(number, own).owners(node // count))
            else:
                found.update(self._in(number, -1).owners(node))
        if self._hit is not None:
            found.discard(0)
            if self._fans.to(node) < self._hit:
                found.add(0)
        return found

    def lefts(self, node: int) -> set[int]:
        """Return what a right node is joined to."""
        if self._hit is not None and node == 0:
            return {self._fans.back(place) for place in range(min(self._hit, self.left))}
        found: set[int] = set()
        count = self.communities
        own, rank = node % count, node // count
        near = self._curve(members(self.right, own, count), True).stretch(rank)
        far = self._curve(self.right, False).stretch(node)
        for number, layer in enumerate(self._layers):
            if layer.local:
                found.update([own + count * other for other in self._in(number, own).nodes(near)])
            else:
                found.update(self._in(number, -1).nodes(far))
        return found

    def _in(self, number: int, community: int) -> Slots:
        """Return a layer's slots for one community; -1 means all communities together."""
        slots = self._slots.get((number, community))
        if slots is None:
            layer = self._layers[number]
            nodes, right = layer.nodes, self.right
            if community >= 0:
                nodes = members(nodes, community, self.communities)
                right = members(right, community, self.communities)
            curve = self._curve(right, community >= 0)
            slots = Slots(nodes, layer.stubs, curve, salt(layer.chance, community + 1))
            self._slots[number, community] = slots
        return slots

    def _curve(self, size: int, local: bool) -> Popularity:
        """Return the popularity curve for so many owners, made once."""
        curve = self._owners.get((size, local))
        if curve is None:
            curve = self._owners[size, local] = self._habit.popularity(size, local=local)
        return curve


class Ownership:
    """Every left node (a track) has one right node (its artist), of its own community; readable from both ends."""

    def __init__(self, left: int, right: int, chance: int, *, communities: int, artists: float) -> None:
        self.left, self.right, self.communities = left, right, communities
        self._slots: list[Slots] = []
        self._curves: list[Popularity] = []
        self._places: list[Shuffle] = []
        for own in range(communities):
            size = members(right, own, communities)
            curve = Popularity(max(1, int(size * artists)), 0.02)
            self._curves.append(curve)
            self._slots.append(Slots(members(left, own, communities), 1, curve, salt(chance, own)))
            self._places.append(Shuffle(size, salt(chance, "place", own)))

    def owner(self, node: int) -> int:
        """Return the one right node of a left node."""
        own = node % self.communities
        rank = next(self._slots[own].owners(node // self.communities))
        return own + self.communities * self._places[own].to(rank)

    def owned(self, node: int) -> list[int]:
        """Return the left nodes of a right node."""
        own = node % self.communities
        rank = self._places[own].back(node // self.communities)
        curve = self._curves[own]
        if rank >= curve.size:
            return []
        return [own + self.communities * left for left in self._slots[own].nodes(curve.stretch(rank))]


def members(total: int, community: int, communities: int) -> int:
    """Return how many of the first `total` nodes belong to a community."""
    return max(0, (total - community + communities - 1) // communities)
