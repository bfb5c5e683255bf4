"""Place tracks so that near ones stand together: a force-directed layout, the same on every run. Pure.

Where a track begins follows from its id, and where a community begins from the ids in it; so a file that has changed a
little gives a map that has changed a little. Then every two tracks push each other away, and joined ones pull
(Fruchterman and Reingold 1991, doi:10.1002/spe.4380211102), until the steps, which get smaller, come to an end. Pushes
are added up on a grid, by a convolution: each round costs n + g² log g for g² cells and not n². At last circles that
still cover each other are moved apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.spatial import cKDTree

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SIDE = 10_000  # of the map: places are whole numbers from 0 to this

_ROUNDS = 250
_FIRST_ROUNDS = 120  # for communities, before their tracks
_PULL_EACH = 0.25  # of all lines together, per track
_PULL_TO_THE_MIDDLE = 0.08  # what is joined to nothing would drift away
_COVERED = 0.16  # share of the map that circles cover
_PUSHES = 50
_AIR = 1.08  # between circles


def place(ids: Ints, communities: Ints, one: Ints, other: Ints, weight: Floats, sizes: Ints) -> tuple[Ints, Ints]:
    """Give places (n x 2) from 0 to SIDE, and the radii of circles, in the same unit; their areas go with `sizes`.

    `one` and `other` are places in `ids` that a line of some weight above 0 joins; `communities` are numbers, those
    below 0 of tracks in none.
    """
    start = _start(ids, communities, one, other, weight, sizes)
    pull = weight * (_PULL_EACH * len(ids) / weight.sum())
    points = _settled(start, np.ones(len(ids)), one, other, pull, _ROUNDS)
    points = _fitted(points, 1.0)
    radii = np.sqrt(np.maximum(sizes, 1).astype(np.float64))
    radii = np.clip(radii / radii.max(), 0.16, None)
    radii = np.minimum(radii * np.sqrt(_COVERED / (np.pi * (radii**2).sum())), 0.02)
    apart = _fitted(_apart(points, radii), 1 - 2 * radii.max())
    return np.rint((apart + 0.5) * SIDE).astype(np.int64), np.maximum(np.rint(radii * SIDE), 1).astype(np.int64)


def _from_ids(ids: Ints) -> Floats:
    """Give each id a point in the unit circle, of its own and always the same (the mixer of SplitMix64)."""
    mixed = ids.astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    angle = (mixed >> np.uint64(32)).astype(np.float64) * (2 * np.pi / 2**32)
    far = np.sqrt((mixed & np.uint64(0xFFFFFFFF)).astype(np.float64) / 2**32)
    return np.stack([far * np.cos(angle), far * np.sin(angle)], axis=1)


def _start(ids: Ints, communities: Ints, one: Ints, other: Ints, weight: Floats, sizes: Ints) -> Floats:
    """Begin with each community around a middle of its own; the more its tracks are joined to another's, the nearer.

    Where it begins its most liked tracks say more than the others: these are still there when the file has changed.
    """
    own = _from_ids(ids)
    alone = communities < 0
    group = np.where(alone, communities.max() + 1 + np.cumsum(alone), communities)
    _, group, members = np.unique(group, return_inverse=True, return_counts=True)
    k = len(members)
    say = sizes.astype(np.float64) ** 2
    middles: Floats = np.stack([np.bincount(group, own[:, axis] * say, k) for axis in (0, 1)], axis=1)
    middles *= np.sqrt(len(ids) / np.bincount(group, say**2, k))[:, None]
    between, ends = np.unique(
        np.sort(np.stack([group[one], group[other]], axis=1), axis=1), axis=0, return_inverse=True
    )
    pulls = np.bincount(ends.ravel(), weight)
    apart = between[:, 0] != between[:, 1]
    if apart.any():
        pulls = pulls[apart] / np.sqrt(members[between[apart, 0]] * members[between[apart, 1]])
        a, b = between[apart].T
        middles = _settled(middles, members.astype(np.float64), a, b, pulls / pulls.mean(), _FIRST_ROUNDS)
    return middles[group] + own * np.sqrt(members[group])[:, None] * 0.6


def _settled(points: Floats, mass: Floats, one: Ints, other: Ints, pull: Floats, rounds: int) -> Floats:
    """Let the forces work, in ever smaller steps; two alone that pull by 1 come to rest at a distance of about 1."""
    n = len(points)
    first = 0.02 * np.sqrt(mass.sum())
    for done in range(rounds):
        force = _pushes(points, mass)
        along = points[other] - points[one]
        along *= (pull * np.hypot(*along.T))[:, None]
        for axis in (0, 1):
            force[:, axis] += np.bincount(one, along[:, axis], n) - np.bincount(other, along[:, axis], n)
        force -= points * _PULL_TO_THE_MIDDLE * mass[:, None]
        force /= mass[:, None]
        length = np.maximum(np.hypot(*force.T), 1e-9)
        step = first * (1 - done / rounds) ** 2 + 0.002
        points = points + force * np.minimum(1.0, step / length)[:, None]
    return points


def _pushes(points: Floats, mass: Floats) -> Floats:
    """Add up how everything pushes each: by the other's mass over the distance, and its own mass."""
    low = points.min(axis=0)
    cells = int(np.clip(2.5 * np.sqrt(len(points)), 32, 192))
    width = max(float((points.max(axis=0) - low).max()), 1e-6) / (cells - 2)
    at = (points - low) / width
    corner = at.astype(np.int64)
    share = at - corner
    spread = [
        ((corner[:, 0] + i) * cells + corner[:, 1] + j, np.abs(1 - i - share[:, 0]) * np.abs(1 - j - share[:, 1]))
        for i in (0, 1)
        for j in (0, 1)
    ]
    density = sum(np.bincount(where, mass * part, cells * cells) for where, part in spread)
    size = 2 * cells
    field = fft.ifft2(fft.fft2(np.asarray(density).reshape(cells, cells), (size, size)) * _kernel(cells))
    field = field[:cells, :cells].ravel() / width
    felt = sum(field[where] * part for where, part in spread) * mass
    return np.stack([felt.real, felt.imag], axis=1)


_kernels: dict[int, Any] = {}


def _kernel(cells: int) -> Any:
    """Give the push of one cell on all others, across as the real and up as the imaginary part, transformed."""
    if cells not in _kernels:
        steps = np.fft.fftfreq(2 * cells, 1 / (2 * cells))
        across, up = np.meshgrid(steps, steps, indexing="ij")
        _kernels[cells] = fft.fft2((across + 1j * up) / (across**2 + up**2 + 0.5))
    return _kernels[cells]


def _apart(points: Floats, radii: Floats) -> Floats:
    """Move circles apart until none covers another, or nearly. The few large ones are looked at by themselves."""
    usual = float(np.quantile(radii, 0.9))
    large = np.flatnonzero(radii > usual)
    for _ in range(_PUSHES):
        tree = cKDTree(points)
        pairs = [tree.query_pairs(_AIR * 2 * usual, output_type="ndarray")]
        for one, near in zip(
            large, tree.query_ball_point(points[large], _AIR * (radii[large] + radii.max())), strict=True
        ):
            pairs.append(np.sort(np.stack([np.full(len(near), one), np.array(near)], axis=1), axis=1))
        a, b = np.concatenate(pairs).T
        lack = _AIR * (radii[a] + radii[b]) - np.hypot(*(points[b] - points[a]).T)
        close = (lack > 0) & (a != b)
        if not close.any():
            break
        a, b = np.unique(np.stack([a[close], b[close]], axis=1), axis=0).T  # in order, each once
        along = points[b] - points[a]
        far = np.maximum(np.hypot(*along.T), 1e-9)
        push = along * ((_AIR * (radii[a] + radii[b]) / far - 1) / 2)[:, None]
        points = points.copy()
        for axis in (0, 1):
            points[:, axis] += np.bincount(b, push[:, axis], len(points)) - np.bincount(a, push[:, axis], len(points))
    return points


def _fitted(points: Floats, side: float) -> Floats:
    """Move and scale points into a square around 0."""
    low, high = points.min(axis=0), points.max(axis=0)
    result: Floats = (points - (low + high) / 2) * (side / max(float((high - low).max()), 1e-9))
    return result
