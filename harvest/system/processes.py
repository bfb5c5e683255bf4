"""Say which processes of this machine are alive, so that what a dead one held is free at once.

A process number means something in one PID namespace of one running system: in another container, or before a restart,
the same number is another process. So a mark names the place as well.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_MACHINE, _BOOT = Path("/etc/machine-id"), Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = "/proc/self/ns/pid"


def born(pid: int) -> str | None:
    """Give what tells a live process from all others of this machine, later ones of the same number too; None when
    there is no such process.
    """
    import psutil  # late: most looks at a file find no process to ask about

    try:
        process = psutil.Process(pid)
        dead = process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return None
    # Its number and its start by a clock that cannot be set. `create_time()` moves when the time of day is put right.
    return None if dead else str(hash(process))


def mark() -> str:
    """Give what tells this process from all others, in other containers and before a restart too."""
    return f"{born(os.getpid()) or ''}@{here()}"


@cache
def here() -> str:
    """Name the place where process numbers are as we see them: machine, start of its system, PID namespace.

    What the system does not tell is empty: only Linux has the latter two.
    """
    return f"{_text(_MACHINE)}/{_text(_BOOT)}/{_namespace()}"


def is_alive(pid: int, marked: str) -> bool | None:
    """Say whether the process of a `mark` still lives; a later one may have its number. None: it is not ours to see."""
    born_at, _, there = marked.partition("@")
    if there and there != here():
        return False if _is_before_a_restart(there) else None
    return born(pid) == born_at


def is_of_this_system(marked: str) -> bool:
    """Say whether a mark was made under the system that runs now, in whatever container."""
    boot = marked.partition("@")[2].split("/")[1:2]
    return boot == here().split("/")[1:2] != [""]


def _is_before_a_restart(there: str) -> bool:
    (machine, boot, _), (our_machine, our_boot, _) = there.split("/"), here().split("/")
    return bool(machine and boot and our_boot) and machine == our_machine and boot != our_boot


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip().replace("/", "")
    except (OSError, ValueError):
        return ""


def _namespace() -> str:
    try:
        return str(Path(_NAMESPACE).readlink()).replace("/", "")
    except OSError:
        return ""
