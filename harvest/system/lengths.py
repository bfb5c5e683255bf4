"""Read lengths of time as people write them: 2h, 90m, 1h30m. Pure."""

from __future__ import annotations

import re

LONGEST = 10 * 366 * 86_400  # seconds
_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_LENGTH = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)


def parse_length(text: str) -> int:
    """Read a length of time, 2h, 90m, 1h30m or 45s, as seconds; raise ValueError with what to write instead."""
    found = _LENGTH.fullmatch("".join(text.lower().split()))
    seconds = sum(int(n) * _UNITS[unit] for n, unit in zip(found.groups(), "dhms", strict=True) if n) if found else 0
    if text.strip().isdecimal():
        raise ValueError(f"{text.strip()!r} needs a unit: {text.strip()}s, {text.strip()}m or {text.strip()}h")
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"{text!r} is no length of time: write it like 2h, 90m, 1h30m or 45s")
    return seconds
