"""Functions that SQLite lacks, for every connection that reads: median, percentile, stddev, and REGEXP.

Rule 1. NULL, text and blobs take no part in a number, as in SQLite's own avg(); of no numbers the answer is NULL.
Rule 2. percentile(x, p), p from 0 to 100, is the value at place p / 100 * (n - 1) of the n values in order, between two
        of them in proportion (type 7 of Hyndman and Fan 1996, https://doi.org/10.1080/00031305.1996.10473566; numpy's
        and SQLite's own percentile() as well). median(x) is percentile(x, 50).
Rule 3. stddev(x) is that of a sample, with n - 1 below the root, as in SQL elsewhere; NULL of fewer than two values.
Rule 4. x REGEXP pattern says whether a regular expression of Python's is found anywhere in x; NULL where either is.

Memory: median and percentile hold 8 bytes of each value; the others none.
"""

from __future__ import annotations

import re
import sqlite3
from array import array
from functools import lru_cache
from math import sqrt
from typing import Any

BROKEN = "user-defined function raised exception"  # what SQLite says of a pattern that is none

_compiled = lru_cache(maxsize=64)(re.compile)


def add_functions(connection: sqlite3.Connection) -> None:
    """Add them to a connection."""
    connection.create_function("regexp", 2, _regexp, deterministic=True)
    for name, values, made in _AGGREGATES:
        connection.create_aggregate(name, values, made)


def _regexp(pattern: object, text: object) -> bool | None:
    """Say whether a pattern is found in a text."""
    if pattern is None or text is None:
        return None
    return _compiled(str(pattern)).search(str(text)) is not None


class _Percentile:
    """percentile(x, p); the last p counts."""

    def __init__(self) -> None:
        self._values, self._percent = array("d"), 50.0

    def step(self, value: object, percent: object) -> None:
        """Take a value."""
        if isinstance(percent, int | float):
            self._percent = min(max(float(percent), 0.0), 100.0)
        if isinstance(value, int | float):
            self._values.append(value)

    def finalize(self) -> float | None:
        """Give the value below which so many percent lie."""
        if not self._values:
            return None
        ordered = sorted(self._values)
        place = self._percent / 100 * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])


class _Median(_Percentile):
    """median(x)."""

    def step(self, value: object, percent: object = 50.0) -> None:
        """Take a value."""
        super().step(value, percent)


class _Deviation:
    """stddev(x), in one pass (Welford 1962, https://doi.org/10.1080/00401706.1962.10490022)."""

    def __init__(self) -> None:
        self._n, self._mean, self._squares = 0, 0.0, 0.0

    def step(self, value: object) -> None:
        """Take a value."""
        if isinstance(value, int | float):
            self._n += 1
            away = value - self._mean
            self._mean += away / self._n
            self._squares += away * (value - self._mean)

    def finalize(self) -> float | None:
        """Give the standard deviation of a sample."""
        return sqrt(self._squares / (self._n - 1)) if self._n > 1 else None


_AGGREGATES: tuple[tuple[str, int, Any], ...] = (
    ("median", 1, _Median),
    ("percentile", 2, _Percentile),
    ("stddev", 1, _Deviation),
)
