"""Collect the likes and reposts around a SoundCloud track into SQLite.

    import harvest
    db = harvest.crawl("https://soundcloud.com/artist/track", max_users=200)
    db = harvest.open("data/cache/tracks.db")

What stands here is imported when it is first used: `import harvest` costs nothing.
"""

from __future__ import annotations

from harvest._version import __version__

TYPE_CHECKING = False  # typing's own costs more to import than all the rest
if TYPE_CHECKING:
    from typing import Any

    from harvest.python.crawling import Progress, counts, crawl, pages, refresh, resume
    from harvest.python.file import File, open
    from harvest.python.probing import probe
    from harvest.python.replaying import replay

__all__ = [
    "File",
    "Progress",
    "__version__",
    "counts",
    "crawl",
    "open",
    "pages",
    "probe",
    "refresh",
    "replay",
    "resume",
]


def _of_a_room(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'harvest' has no attribute {name!r}")
    from importlib import import_module

    room = {"File": "file", "open": "file", "probe": "probing", "replay": "replaying"}.get(name, "crawling")
    return getattr(import_module(f"harvest.python.{room}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # a type checker shall miss a name that is not there
    __getattr__ = _of_a_room
