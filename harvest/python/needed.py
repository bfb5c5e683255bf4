"""Libraries that are imported when they are asked for, and what is said where one is missing."""

from __future__ import annotations

import shlex
import sys
from importlib import import_module
from typing import Any

from harvest.errors import HarvestError, how_to_install

_EXTRAS = {"pandas": "pandas", "polars": "polars", "pyarrow": "arrow", "numpy": "analysis", "scipy.sparse": "analysis"}


class LibraryMissing(HarvestError, ImportError):
    """A library is missing that what was called gives its answer in."""

    exit_code = 2


def needed(module: str) -> Any:
    """Import a library that harvest does without otherwise. Raises LibraryMissing, which says how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        extra = _EXTRAS.get(module)
        install = how_to_install(extra) if extra else f"{shlex.quote(sys.executable)} -m pip install {package}"
        raise LibraryMissing(f"This needs {package}, which is not installed: {install}") from error
