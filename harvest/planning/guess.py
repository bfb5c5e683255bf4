"""Guesses at what cannot be known yet, drawn once for each walk. Pure."""

from __future__ import annotations

import random

from harvest.things import SHOWN, THINGS

_GONE = 0.04  # share of people who are gone or closed, at most


class Guess:
    """Guesses at what cannot be known yet, for one walk; the same for the same number."""

    def __init__(self, number: int) -> None:
        self.knows_artists = number % 8 == 0  # some list has shown the artists of the seeds already
        self.chance = chance = random.Random(number)
        self.level = dict.fromkeys(THINGS, 1.0)
        self.level.update((thing.name, min(max(chance.gauss(1, 0.8), 0.0), 2.0)) for thing in SHOWN)
        self.unknown = 2 * chance.random() ** 3  # most lists of unknown length are short
        self.gone = chance.uniform(0, _GONE)
        self.alike = chance.random() ** 2  # how far the newest of one list are the newest of others
        self.power = chance.uniform(0.75, 1.0)  # n entries name n to this power different things, where nothing tells
