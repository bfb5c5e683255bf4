"""Put what the service sent, and our own numbers, into words that cannot spoil a page. Pure."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

_LONGEST = 80  # of a title in a table; no reader needs more
_MARKS_IN_A_ROW = 2  # accents on one letter; more of them would climb over the lines above
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_NAMELESS = "(no name)"


def shown(text: str | None, longest: int = _LONGEST) -> str:
    """Make a name or title fit to be shown: one line, of bounded length, without invisible characters.

    Controls, direction marks, halves of surrogate pairs and what no font has are left out. Joiners stay: they make
    emoji and some scripts.
    """
    kept: list[str] = []
    marks = 0
    for character in (text or "")[: longest * 8]:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category in ("Zs", "Zl", "Zp", "Cc"):
            kept.append(" ")
        elif character in "\u200c\u200d" or (category not in ("Cf", "Cs", "Co", "Cn") and marks <= _MARKS_IN_A_ROW):
            kept.append(character)
    line = " ".join("".join(kept).split())
    return cut(line, longest) or _NAMELESS


def cut(text: str, longest: int) -> str:
    """Cut a text that is longer, and say so with an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def width(text: str, size: float) -> float:
    """Estimate how wide a text is at a font size, in the same unit; rather too wide than too narrow."""
    ems = sum(_ems(character) for character in text)
    return ems * size


def _ems(character: str) -> float:
    if unicodedata.combining(character) or character in "\u200c\u200d\ufe0f":
        return 0.0
    if unicodedata.east_asian_width(character) in "WF" or ord(character) > 0xFFFF:
        return 1.4 if ord(character) > 0xFFFF else 1.05
    if character in "ijlI.,:;'|!()[] ":
        return 0.36
    return 0.88 if character in "mwMW@%…" else 0.72 if character.isupper() else 0.6


def fitted(text: str, size: float, room: float) -> str:
    """Cut a text until it is no wider than there is room."""
    if width(text, size) <= room:
        return text
    while text and width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def link_target(url: str | None) -> str | None:
    """Give an address that may be linked to: a page of SoundCloud over https; None for anything else."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    ours = host == "soundcloud.com" or host.endswith(".soundcloud.com")
    plain = url.isascii() and url.isprintable() and not any(c in url for c in " \"'<>\\")
    return url if parts.scheme == "https" and ours and plain else None


def count(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun: '1 list', '2,000 lists'."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def share(part: float, whole: float) -> str:
    """Write a share in per cent with as many digits as say something; 'all' and 'none' are exact."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return f"{percent:.{-math.floor(math.log10(percent))}f}%" if percent >= 0.0001 else "under 0.0001%"
    if 99 < percent < 100:
        return "over 99.9%" if percent > 99.9 else f"{math.floor(percent * 10) / 10:.1f}%"
    return f"{percent:.0f}%" if percent >= 9.95 or percent == 0 else f"{percent:.1f}%"


def percent(part: float) -> str:
    """Write a share between 0 and 1, with one digit after the point."""
    return f"{100 * part:.1f} %"


def times(ratio: float | None) -> str:
    """Write how many times more or less something is."""
    if ratio is None:
        return "–"
    if ratio >= 100:
        return f"{ratio:,.0f}×"
    return f"{ratio:.1f}×" if ratio >= 0.95 else f"{ratio:.2f}×"


def day(moment: str | None) -> str:
    """Give the day of a stored time, in words: 7 August 2026."""
    if not moment or len(moment) < 10 or not moment[:4].isdecimal():
        return "unknown"
    return f"{int(moment[8:10])} {_MONTHS[int(moment[5:7]) - 1]} {moment[:4]}"


def minute(moment: str | None) -> str:
    """Give a stored time to the minute: 2026-08-07 14:18 UTC."""
    return f"{moment[:10]} {moment[11:16]} UTC" if moment and len(moment) >= 16 else "–"


def capital(text: str) -> str:
    """Begin a text with a capital letter; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def counted(parts: Iterable[tuple[int, str]]) -> list[str]:
    """Write numbers with what there is so many of, and leave out what there is none of: '2,000 cut by a cap'."""
    return [f"{number:,} {words}" for number, words in parts if number]


def listed(names: Iterable[str]) -> str:
    """Join names as in a sentence."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
