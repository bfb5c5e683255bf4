"""Read shares as people write them: 5%, 0.05. Pure."""

from __future__ import annotations

import re

_SHARE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(%?)", re.ASCII)


def parse_share(text: str | float) -> float:
    """Read a share of less than everything, as a number from 0 on and below 1. Raises ValueError."""
    found = _SHARE.fullmatch(str(text).strip())
    share = float(found[1]) / (100 if found[2] else 1) if found else 1.0
    if not share < 1:
        raise ValueError(f"{text!r} is no share of less than everything: write it like 5% or 0.05")
    return share
