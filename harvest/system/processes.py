"""Say which processes of this machine are alive, so that what a dead one held is free at once."""

from __future__ import annotations

import psutil


def born(pid: int) -> str | None:
    """Give what tells a live process from all others of this machine, later ones of the same number too; None when
    there is no such process.
    """
    try:
        process = psutil.Process(pid)
        dead = process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return None
    # Its number and its start by a clock that nobody sets. `create_time()` moves when the time of day is put right.
    return None if dead else str(hash(process))


def is_alive(pid: int, born_at: str) -> bool:
    """Say whether the process that `born` told of still lives; a later one may have its number."""
    return born(pid) == born_at
