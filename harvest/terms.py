"""SoundCloud's terms: the notice at the first crawl of the real service, and the words that go with an export."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

TERMS = "https://developers.soundcloud.com/docs/api/terms-of-use"
NOTICE = (
    "Note: SoundCloud's API terms restrict storing what the API returns and forbid feeding it to AI; whether your use "
    "is allowed is for you to settle. See 'Responsible use' in the README. (This is said once.)"
)

ATTRIBUTION = (
    "From SoundCloud (https://soundcloud.com). When you show something of it, name the uploader and SoundCloud, and "
    "link the track."
)
RESTRICTIONS = (
    f"SoundCloud's API terms ({TERMS}) restrict storing what the API returns and forbid using it to train or feed AI; "
    "whether a use is allowed is for whoever uses it to settle."
)
AGENTS_NOTICE = f"Note: {RESTRICTIONS} What an agent reads here goes to the company that runs it. (This is said once.)"


def is_made_up(address: str) -> bool:
    """Say whether what was read from this address is invented: by our own simulator, or a server of one's own."""
    return address.startswith("simulator:") or urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1")


def say_once(folder: Path, say: Callable[[str], object], *, of_agents: bool = False) -> None:
    """Say the notice, or what the terms say `of_agents`, unless a file in this user's state folder tells that it has
    been said.
    """
    said = folder / ("terms-agents-notice-shown" if of_agents else "terms-notice-shown")
    if said.exists():
        return
    say(AGENTS_NOTICE if of_agents else NOTICE)
    with contextlib.suppress(OSError):  # a home that cannot be written means it is said again, no more
        said.parent.mkdir(parents=True, exist_ok=True)
        said.touch()
