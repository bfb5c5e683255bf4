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

    from harvest.python.crawling import (
        acrawl,
        apages,
        aresume,
        aretry,
        asearch,
        crawl,
        pages,
        resume,
        retry,
        search,
    )
    from harvest.python.file import File, open
    from harvest.python.keeping import (
        acomply,
        acounts,
        ahydrate,
        arefresh,
        atend,
        comply,
        counts,
        hydrate,
        refresh,
        tend,
    )
    from harvest.python.planning import aplan, plan
    from harvest.python.probing import aprobe, probe
    from harvest.python.replaying import replay
    from harvest.python.worker import Progress

_ROOMS = {
    "crawling": "acrawl apages aresume aretry asearch crawl pages resume retry search",
    "file": "File open",
    "keeping": "acomply acounts ahydrate arefresh atend comply counts hydrate refresh tend",
    "planning": "aplan plan",
    "probing": "aprobe probe",
    "replaying": "replay",
    "worker": "Progress",
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names.split()}

__all__ = [
    "File",
    "Progress",
    "__version__",
    "acomply",
    "acounts",
    "acrawl",
    "ahydrate",
    "apages",
    "aplan",
    "aprobe",
    "arefresh",
    "aresume",
    "aretry",
    "asearch",
    "atend",
    "comply",
    "counts",
    "crawl",
    "hydrate",
    "open",
    "pages",
    "plan",
    "probe",
    "refresh",
    "replay",
    "resume",
    "retry",
    "search",
    "tend",
]


def _of_a_room(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'harvest' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"harvest.python.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # a type checker shall miss a name that is not there
    __getattr__ = _of_a_room
