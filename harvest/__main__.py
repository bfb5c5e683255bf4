"""Run the command line: as `harvest`, and as `python -m harvest`. Ctrl-C is heard before anything is imported."""

import os
import sys
from pathlib import Path


def main(beside: Path | None = None) -> None:
    """Run the command line; Ctrl-C while it is still being imported gets one line too.

    A `.env` that is not in the working directory may be in the folder `beside` which the program lies.
    """
    try:
        from harvest.cli.main import main as run

        run(beside=beside)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.stderr.flush()
        os._exit(130)  # nothing is open yet; Python's own way out may be interrupted, or end in a signal


if __name__ == "__main__":
    main()
