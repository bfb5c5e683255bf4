"""Seeded chance without state: hashes, shuffles and ids that can be undone. Pure.

In: whole numbers. Out: whole numbers that look random and are the same for ever. Never: the `random` module.
"""

from __future__ import annotations

from copy import copy
from math import gcd
from zlib import crc32

MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def mix(a: int, b: int) -> int:
    """Hash two whole numbers to 64 bits (the finisher of splitmix64)."""
    x = (a ^ (b * _GOLDEN)) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def salt(seed: int, *names: str | int) -> int:
    """Make one stream of chance per name, so that streams do not echo each other."""
    value = mix(seed, 0x5EED)
    for name in names:
        value = mix(value, crc32(name.encode()) if isinstance(name, str) else name)
    return value


def threshold(share: float) -> int:
    """Return the bound under which a 64-bit hash falls with the given probability."""
    return int(min(max(share, 0.0), 1.0) * (MASK + 1))


def share_of(chance: int) -> float:
    """Return 64 bits of chance as a share, from 0 to below 1."""
    return (chance >> 32) / (1 << 32)


class Shuffle:
    """A seeded one-to-one map of 0..size-1 onto itself; `back` undoes `to`."""

    __slots__ = ("_a", "_back", "_shift", "size")

    def __init__(self, size: int, chance: int) -> None:
        self.size = max(size, 1)
        self._a = _coprime(self.size, mix(chance, 1))
        self._back = pow(self._a, -1, self.size) if self.size > 1 else 0
        self._shift = mix(chance, 2) % self.size

    def to(self, value: int) -> int:
        """Return where a value goes."""
        return (self._a * value + self._shift) % self.size

    def back(self, value: int) -> int:
        """Return where a value came from."""
        return (self._back * (value - self._shift)) % self.size


def _coprime(size: int, chance: int) -> int:
    """Pick a factor without a common divisor with size, away from both ends so that neighbours part."""
    if size < 3:
        return 1 if size == 2 else 0
    factor = size // 8 + chance % max(size - size // 4, 1)
    while gcd(factor % size, size) != 1:
        factor += 1
    return factor % size


class Ids:
    """Numbers as the service gives them: scattered, some beyond 32 bits, and known only for what exists."""

    __slots__ = ("_shuffle", "base", "count", "first")

    def __init__(self, count: int, chance: int, *, base: int = 1_000) -> None:
        self.count = self.first = count
        self.base = base
        self._shuffle = Shuffle(max(2_900_000_000, 4 * count), chance)

    def grown(self, count: int) -> Ids:
        """Return the same numbers for more things; `first` stays. Raises ValueError when there are not so many."""
        if count > self._shuffle.size:
            raise ValueError(f"there are no numbers for {count:,} things: let less come, or look at an earlier day")
        more = copy(self)
        more.count = count
        return more

    def id(self, index: int) -> int:
        """Return the id of the index-th thing."""
        return self.base + self._shuffle.to(index)

    def index(self, number: int) -> int | None:
        """Return which thing has this id, None when nothing has."""
        if not self.base <= number < self.base + self._shuffle.size:
            return None
        index = self._shuffle.back(number - self.base)
        return index if index < self.count else None
