"""Run the real command line as a process of its own and see what it costs: CPU, wall time, peak memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET

ROOT = Path(__file__).resolve().parents[2]
_PEEK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process cost; seconds, MB."""

    cpu: float
    wall: float
    peak_mb: float
    out: str


class Child:
    """A process under way."""

    def __init__(self, command: list[str], folder: Path, url: str | None = None) -> None:
        """Start it in a folder; `url` is the service it may ask."""
        self._out = folder / f"{time.monotonic_ns()}.out"
        self.began = time.monotonic()
        with self._out.open("wb") as out:
            self._process = subprocess.Popen(
                command, cwd=folder, env=_environment(folder, url), stdout=out, stderr=subprocess.STDOUT
            )
        self._peak = 0.0

    def end(self, *, kill: bool = False, expect: tuple[int, ...] = (0,)) -> Spent:
        """Wait for its end, or make it; give what it cost. Another exit code than expected ends the bench."""
        if kill:
            self._look()
            self._process.kill()
            expect = (-signal.SIGKILL,)
        pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        while not pid:
            self._look()
            time.sleep(_PEEK_SECONDS)
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - self.began
        told = self._out.read_text(errors="replace")
        if self._process.returncode not in expect:
            raise RuntimeError(f"{self._process.args} ended with {self._process.returncode}:\n{told[-2000:]}")
        return Spent(usage.ru_utime + usage.ru_stime, wall, self._peak or usage.ru_maxrss / 1024, told)

    def _look(self) -> None:
        """Note the peak of resident memory. What wait4 tells of it counts the process that started it, too."""
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{self._process.pid}/status").read_text()
            found = [line for line in status.splitlines() if line.startswith("VmHWM")]
            self._peak = max([self._peak, *(int(line.split()[1]) / 1024 for line in found)])


def harvest(*arguments: str) -> list[str]:
    """Write the command line."""
    return [sys.executable, "-m", "harvest", *arguments]


def run(command: list[str], folder: Path, url: str | None = None) -> Spent:
    """Run a command to its end."""
    return Child(command, folder, url).end()


def _environment(folder: Path, url: str | None) -> dict[str, str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("SOUNDCLOUD_", "HARVEST_"))}
    environ.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # or each start compiles everything: a second of CPU that tells nothing
    environ |= {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state"), "NO_COLOR": "1"}
    if url is not None:
        environ |= {
            "SOUNDCLOUD_API_URL": url,
            "SOUNDCLOUD_AUTH_URL": url,
            "SOUNDCLOUD_CLIENT_ID": DEMO_CLIENT_ID,
            "SOUNDCLOUD_CLIENT_SECRET": DEMO_CLIENT_SECRET,
            "HARVEST_HOLD_SECONDS": "1",
        }
    return environ
