"""Print what a library read, in one form for all of them: JSON on stdout, unknown as null, times as text."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])


def show(tables: Mapping[str, Iterable[Sequence[Any]]]) -> None:
    """Print tables of rows."""
    print(json.dumps({name: [[plain(value) for value in row] for row in rows] for name, rows in tables.items()}))


def plain(value: Any) -> Any:
    """Turn a value of any library into one of JSON."""
    if hasattr(value, "tolist"):  # numpy
        value = value.tolist()
    if (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, float) and math.isnan(value))
    ):
        return None
    if hasattr(value, "strftime"):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if not isinstance(value, str) and isinstance(value, Sequence):
        return [plain(item) for item in value]
    return value
