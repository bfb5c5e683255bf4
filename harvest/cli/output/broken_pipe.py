"""Results whose reader is gone, or that find no room where they go."""

from __future__ import annotations

import os
import sys


def leave_unread() -> None:
    """Let what is left of a result go nowhere, also what Python flushes at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
