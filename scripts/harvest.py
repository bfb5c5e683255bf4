"""Run the command line from a checkout: `python scripts/harvest.py URL`, from any folder, with the clone's `.env`."""

import sys
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CLONE))
sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from harvest.__main__ import main  # noqa: E402 - the path comes first

if __name__ == "__main__":
    main(beside=CLONE)
