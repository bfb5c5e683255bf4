"""Hold a file as the system knows it: that ends with the process, however it ends, and every container sees it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":  # where no containers share files without sharing process numbers
    import fcntl


class HeldFile:
    """A file beside another one, there for as long as a process holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def is_ours(self) -> bool:
        """Say whether we hold it."""
        return self._descriptor is not None

    def take(self) -> bool:
        """Take hold of it; False when another process has it, or where the file system has no locks."""
        if sys.platform == "win32" or self.is_ours:
            return self.is_ours
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_ino == self._path.stat().st_ino:  # else removed by who had it before us
                    self._descriptor, descriptor = descriptor, -1
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
        return self.is_ours

    def is_held(self) -> bool:
        """Say whether a process holds it, as far as can be told."""
        if sys.platform == "win32":
            return False
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return False

    def let_go(self) -> None:
        """Let the next one have it."""
        if self._descriptor is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = None
