"""How fast this computer is, against the one that docs/performance.md was measured on."""

from __future__ import annotations

import json
import time

_MEASURED = 0.00125  # seconds of CPU that the work took there
_TIMES = 7
_WORK = json.dumps(
    [{"id": n, "title": f"a track {n}", "user": {"id": n, "city": None}, "likes": [n] * 9} for n in range(200)]
)


def slowness() -> float:
    """Say how many times as long it takes as the other one; a few milliseconds of work tell."""
    return min(_seconds() for _ in range(_TIMES)) / _MEASURED


def _seconds() -> float:
    began = time.process_time()
    json.dumps(json.loads(_WORK))
    return time.process_time() - began
