"""The notice about SoundCloud's terms: said once, at the first crawl of the real service."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

NOTICE = (
    "Note: SoundCloud's API terms restrict storing what the API returns and forbid feeding it to AI; whether your use "
    "is allowed is for you to settle. See 'Responsible use' in the README. (This is said once.)"
)


def say_once(folder: Path, say: Callable[[str], object]) -> None:
    """Say it unless a file in this user's state folder tells that it has been said."""
    said = folder / "terms-notice-shown"
    if said.exists():
        return
    say(NOTICE)
    with contextlib.suppress(OSError):  # a home that cannot be written means it is said again, no more
        said.parent.mkdir(parents=True, exist_ok=True)
        said.touch()
