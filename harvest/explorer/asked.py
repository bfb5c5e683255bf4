"""What a page shall hold. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LEAST, USUAL, MOST = 200, 1_500, 5_000  # tracks on a page


@dataclass(frozen=True, slots=True)
class Asked:
    """How many tracks, whether the newest few people who like each are named, and whose likes count.

    `framing` is one of FRAMINGS, None: what the file was analysed with; `include_incomplete` takes lists of likes that
    are not whole as well.
    """

    tracks: int = USUAL
    people: bool = False
    framing: str | None = None
    include_incomplete: bool = False
