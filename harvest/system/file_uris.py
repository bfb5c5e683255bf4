"""Write the address of a file, as SQLite takes it. Pure."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote_from_bytes


def uri_of(path: Path) -> str:
    """Give the address of an absolute path: what `Path.as_uri` gives, which from Python 3.14 on imports ssl and all of
    http for it, half of what a reading command takes.
    """
    return path.as_uri() if os.name == "nt" else f"file://{quote_from_bytes(os.fsencode(path))}"
