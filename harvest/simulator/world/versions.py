"""Which tracks are another upload, a remix or an edit of which other track. Pure.

Half of them are of the first tracks, the likely seeds, and every fourth of the hit. A version has no versions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from harvest.simulator.world.prng import mix

AGAIN, REMIX, EDIT = "again", "remix", "edit"
_KINDS = (AGAIN, AGAIN, REMIX, REMIX, REMIX, EDIT)
_FARTHEST = 64  # tracks among which one with a code is looked for
_EDITS = ("(Extended Edit)", "(Sped Up)", "(Club Edit)", "(Acoustic)")


class Version(NamedTuple):
    """A track that is a version of an earlier one: the same recording again, a remix, or an edit. A recording is told
    by its `coded` ISRC, else by title and artist.
    """

    original: int
    kind: str
    chance: int
    coded: bool

    @property
    def apart_ms(self) -> int:
        """By how much the same recording is longer."""
        return self.chance >> 24 & 1023


def version(chance: int, track: int, spotless: int, has_code: Callable[[int], bool]) -> Version | None:
    """Return what a track is a version of; the first, `spotless`, are of none. Most tracks have no code."""
    if track < spotless:
        return None
    among = (1, min(spotless, track), track, track)[chance & 3]
    kind, original = _KINDS[(chance >> 2) % len(_KINDS)], mix(chance, 1) % among
    coded = None
    if kind == AGAIN and chance >> 8 & 1:
        coded = next((one for one in range(original, min(original + _FARTHEST, track)) if has_code(one)), None)
    return Version(original if coded is None else coded, kind, mix(chance, 2), coded is not None)


def titled(plain: str, made: Version, by: str) -> str:
    """Return the title of a remix `by` a person, or of an edit."""
    base = plain.split(" (")[0].split(" [")[0]
    return f"{base} ({by} Remix)" if made.kind == REMIX else f"{base} {_EDITS[made.chance % len(_EDITS)]}"
