"""Run the command line: as `harvest`, and as `python -m harvest`. Ctrl-C is heard before anything is imported."""

from __future__ import annotations

import gc
import os
import signal
from contextlib import suppress

TYPE_CHECKING = False  # what is imported here is imported before Ctrl-C is heard
if TYPE_CHECKING:
    from pathlib import Path

_OBJECTS = 50_000  # new ones between two looks for circles of them: importing makes many, which all stay


def main(beside: Path | None = None) -> None:
    """Run the command line; Ctrl-C while it is still being imported gets one line too, and when all is done it is late.

    A `.env` that is not in the working directory may be in the folder `beside` which the program lies.
    """
    heard = [
        number for number in (signal.SIGINT, getattr(signal, "SIGHUP", None)) if number and not _is_ignored(number)
    ]
    if signal.SIGINT in heard:
        signal.signal(signal.SIGINT, _end)
    gc.set_threshold(_OBJECTS)
    from harvest.cli.main import main as run

    try:
        for number in heard:  # a terminal that is closed is a Ctrl-C: what was begun is cleared away
            signal.signal(number, signal.default_int_handler)
        run(beside=beside)
    except KeyboardInterrupt:
        _end()
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)  # all is done; Python itself could not say so any more


def _is_ignored(number: int) -> bool:
    """Say whether our parent process wants a signal ignored: nohup, or a shell without jobs in the background."""
    return signal.getsignal(number) is signal.SIG_IGN


def _end(*_: object) -> None:
    """End at once: nothing is open, and Python's own way out may be interrupted, or end in a signal."""
    with suppress(OSError):
        os.write(2, b"Interrupted.\n")  # sys.stderr may be in the midst of a line
    os._exit(130)


if __name__ == "__main__":
    main()
