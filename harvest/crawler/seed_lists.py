"""Read a list of seeds: one on a line, blank lines and what follows `#` left out.

In: a file, or its bytes and a name for them. Out: what stands on each line. Never: a list with a bad line in it.
"""

from __future__ import annotations

import re
from pathlib import Path

from harvest.api.seed_urls import normalise_seed
from harvest.errors import SeedError

LARGEST = 100_000_000  # bytes; some two million addresses
_COMMENT = re.compile(r"(^|\s)#.*")  # an address may hold one inside: artist/track#t=1:30


def seeds_in(path: Path) -> list[str]:
    """Read a file. Raises SeedError when it cannot be read, is no such list, or has a line that is no seed."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except IsADirectoryError as error:
        raise SeedError(f"{path} is a folder: give a file with one seed on each line.") from error
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        raise SeedError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    return seed_lines(str(path), data)


def seed_lines(name: str, data: bytes) -> list[str]:
    """Give the seeds of a list as they are written. Raises SeedError naming the list and its first bad line."""
    if len(data) > LARGEST:
        raise SeedError(f"{name} is too large for a list of seeds: {LARGEST // 1_000_000} MB are allowed.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SeedError(f"{name} is not text in UTF-8: give a file with one seed on each line.") from error
    found: list[str] = []
    bad: list[str] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        seed = _COMMENT.sub("", line).strip()
        if not seed:
            continue
        try:
            normalise_seed(seed)
        except SeedError as error:
            bad.append(f"{name}, line {number}: {error}")
        found.append(seed)
    if bad:
        others = len(bad) - 1
        raise SeedError(
            bad[0] + (f" ({others:,} other {'line is' if others == 1 else 'lines are'} bad too.)" * (others > 0))
        )
    if not found:
        raise SeedError(f"{name} holds no seed: write one on each line, https://soundcloud.com/artist/track.")
    return found
