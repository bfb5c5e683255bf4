"""Try seeds that nobody has tried yet, one after the other, for so long: `scripts/soak --for 30m`.

Each seed makes other worlds, faults, kills, power cuts and arguments of the tests marked `fresh`. What fails is said
with its seed and the command that tries it again. Ends with 0, or with 1 when a seed has failed.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from harvest.system.lengths import parse_length

_TRIED = (0, 1, 2)  # pytest's exit codes for tests that pass, that fail, and that are left because of one that does
Run = Callable[[Sequence[str], float], int | None]  # a command and its seconds: how it ended, None when they were over


def run(command: Sequence[str], seconds: float) -> int | None:
    """Run a command for so long at most."""
    try:
        return subprocess.run(command, timeout=seconds, check=False).returncode
    except subprocess.TimeoutExpired:
        return None


def soak(
    seconds: float, seed: int, arguments: Sequence[str], run: Run = run, now: Callable[[], float] = time.monotonic
) -> int:
    """Try this seed and those after it until the time is over; give the exit code."""
    until, tried, failed = now() + seconds, 0, 0
    while (left := until - now()) > 0:
        chosen = ["-m", "fresh", "--seed", str(seed), *arguments]
        code = run([sys.executable, "-m", "pytest", "-x", "-n", "2", "--dist", "load", *chosen], left)
        if code is None:
            break
        if code not in _TRIED:
            return code
        tried += 1
        if code:
            failed += 1
            print(f"Seed {seed} fails. To try it again: scripts/soak {' '.join(chosen)}", flush=True)
        seed += 1
    print(f"{tried} seeds were tried whole, up to {seed - 1}; {failed} failed.")
    return int(failed > 0)


if __name__ == "__main__":
    try:
        sys.exit(soak(parse_length(sys.argv[1]), secrets.randbelow(10**9), sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
