"""Say which processes of this machine are alive, so that what a dead one held is free at once."""

from __future__ import annotations

import subprocess
from pathlib import Path


def born(pid: int) -> str | None:
    """Give the start time of a live process, as the system tells it; None when there is no such process."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]  # state; start time in ticks since boot
    try:
        answer = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip() or None


def is_alive(pid: int, born_at: str) -> bool:
    """Say whether the process that was born then still lives; a later one may have its number."""
    born_now = born(pid)
    return born_now is not None and (not born_at or not born_now or born_now == born_at)
