"""Where SQLite puts what it sorts when that is more than memory should hold (sqlite.org/tempfiles.html, section 5)."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

CHOSEN_BY = "SQLITE_TMPDIR"  # the variable that names another folder


def temporary_folder() -> Path:
    """Give the folder of SQLite's temporary files: the first of those it looks at that it may write to."""
    if os.name == "nt":
        return Path(tempfile.gettempdir())
    named = (os.environ.get(CHOSEN_BY), os.environ.get("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp")
    for folder in named:
        if folder and Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder)
    return Path.cwd()
