"""What comes next. Called, it crawls: `harvest.crawl(url)` is `harvest.notebook.crawl(url)`."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """This package is an attribute of `harvest` once it is imported, and must then do what the name there promises."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return import_module("harvest.notebook").crawl(*args, **kwargs)


sys.modules[__name__].__class__ = _Room
