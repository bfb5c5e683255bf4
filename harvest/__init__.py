"""Collect the likes and reposts around a SoundCloud track into SQLite.

    import harvest
    db = harvest.crawl("https://soundcloud.com/artist/track", max_users=200)
    db = harvest.open("data/cache/tracks.db")

What stands here is imported when it is first used: `import harvest` costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own costs more to import than all the rest
if TYPE_CHECKING:
    from typing import Any

    from harvest.notebook import Progress, crawl, pages, resume
    from harvest.reading import File, open

__all__ = ["File", "Progress", "__version__", "crawl", "open", "pages", "resume"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'harvest' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("harvest.reading" if name in ("File", "open") else "harvest.notebook"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
