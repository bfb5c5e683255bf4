"""Compare what they like with the service's own counts. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harvest.report.pictures import Drawing, two_shares
from harvest.report.rows import HeardTotals, Theme


def ratio(likes: int, likes_count: int | None, heard: HeardTotals) -> float | None:
    """Say how many times more at home something is here than on SoundCloud: its share of the likes here over its share
    of the likes the service counts, both among the tracks whose count is known. None where it is not.
    """
    if not likes_count or not heard.counted_likes:
        return None
    return (likes / heard.counted_likes) / (likes_count / heard.likes_count)


def compared(themes: Sequence[Theme], heard: HeardTotals) -> list[tuple[Theme, Drawing]]:
    """Give each genre or tag with a drawing of both its shares; the largest of all shares takes the whole width."""
    shares = [(_part(t.counted_likes, heard.counted_likes), _part(t.likes_count, heard.likes_count)) for t in themes]
    most = max([*(s for pair in shares for s in pair if s is not None), 1e-9])
    return [(theme, two_shares(here or 0.0, there, most)) for theme, (here, there) in zip(themes, shares, strict=True)]


def _part(part: int | None, whole: int) -> float | None:
    return None if part is None or not whole else part / whole
