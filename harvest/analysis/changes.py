"""What a grown file changes in a result that is already there. Pure.

A pair's score depends on who likes the one, who likes the other, and nothing else (`frames` and measures against all
people apart, see `kernel` and `derive`). So a pair changes only if one of the two has changed. Rows to compute again
are those of things that changed, of things that have enough in common with one that changed, and of things beside which
one that changed, or is gone, stands in the old result.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from harvest.analysis.kernel import Bools, Ints, Likes
from harvest.analysis.methods import AGAINST_ALL


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a result was computed from: things with their sizes and marks, and which are frames. Ids rise."""

    ids: Ints
    sizes: Ints
    frames: Bools
    marks: Ints

    def digest(self) -> str:
        """Give the same text for the same content."""
        return _digest(self.ids, self.sizes, self.frames, self.marks)


def snapshot(likes: Likes) -> Snapshot:
    """Write down what the next computation has to know of this one."""
    return Snapshot(likes.ids, likes.sizes, likes.frames, likes.marks)


def fingerprint(likes: Likes, measure: str) -> str:
    """Give a text that is equal only if everything is that the result of this measure depends on."""
    people = likes.people if measure in AGAINST_ALL else 0
    counted = likes.counted if likes.frames.any() else likes.counted[:0]
    return _digest(likes.ids, likes.sizes, likes.frames, likes.marks, counted, np.array([people]))


def changed(now: Snapshot, before: Snapshot) -> Bools:
    """Say which things are new, or have changed: in who likes them, or in being a frame."""
    place = np.searchsorted(before.ids, now.ids)
    place[place == len(before.ids)] = 0
    if not len(before.ids):
        return np.ones(len(now.ids), np.bool_)
    same: Bools = (
        (before.ids[place] == now.ids)
        & (before.sizes[place] == now.sizes)
        & (before.frames[place] == now.frames)
        & (before.marks[place] == now.marks)
    )
    return ~same


def vanished(now: Snapshot, before: Snapshot) -> Ints:
    """Give the ids of things that are no longer there."""
    return np.setdiff1d(before.ids, now.ids, assume_unique=True)


def _digest(*parts: np.ndarray[tuple[int], np.dtype[np.generic]]) -> str:
    """Hash arrays, lengths included."""
    told = blake2b(digest_size=16)
    for part in parts:
        told.update(len(part).to_bytes(8, "little"))
        told.update(np.ascontiguousarray(part).view(np.uint8).data)
    return told.hexdigest()
