"""Make harvest/probing/official.json of an official description: its names and types, and no sentence of it.

Usage: python scripts/describe.py api.yaml DAY, the day on which the description was published: 2026-07-19.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from harvest.probing.description import read_description  # noqa: E402 - from the clone it stands in
from harvest.probing.facts import as_json  # noqa: E402


def main() -> None:
    """Read the file, write the facts, say how many."""
    source, day = Path(sys.argv[1]), date.fromisoformat(sys.argv[2]).isoformat()
    facts = read_description(source.read_bytes(), str(source), day=day)
    (ROOT / "harvest" / "probing" / "official.json").write_bytes(as_json(facts))
    print(f"{len(facts.endpoints)} endpoints, {len(facts.schemas)} schemas")


if __name__ == "__main__":
    main()
