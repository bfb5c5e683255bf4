"""Run the command line from a checkout: `python scripts/harvest.py URL`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from harvest.__main__ import main  # noqa: E402 - the path comes first

if __name__ == "__main__":
    main()
