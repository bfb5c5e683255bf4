"""Leave to `scripts/test --all` what says the same once more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import product
from typing import Any

import pytest


def slow_but(quick: Collection[Any], every: Iterable[Any]) -> list[Any]:
    """Give parameters, all of them slow but these; each of these must be among them."""
    every = list(every)
    assert all(one in every for one in quick), quick
    return [one if one in quick else pytest.param(one, marks=pytest.mark.slow) for one in every]


def one_in(n: int, every: Iterable[Any]) -> list[Any]:
    """Give parameters, one of `n` after the other, all others slow."""
    every = list(every)
    return slow_but(every[::n], every)


def each_once(*axes: Sequence[Any]) -> list[Any]:
    """Give all combinations of parameters, all of them slow but as many as bring each value of every axis."""
    return all_but({tuple(axis[place % len(axis)] for axis in axes) for place in range(max(map(len, axes)))}, *axes)


def all_but(quick: Collection[tuple[Any, ...]], *axes: Sequence[Any]) -> list[Any]:
    """Give all combinations of parameters, all of them slow but these; each of these must be among them."""
    return rows_but(quick, product(*axes))


def rows_but(quick: Collection[tuple[Any, ...]], every: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Give rows of several parameters, all of them slow but these; each of these must be among them."""
    every = list(every)
    assert all(one in every for one in quick), quick
    return [pytest.param(*one, marks=[] if one in quick else pytest.mark.slow) for one in every]
