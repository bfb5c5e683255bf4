"""The statements of this room, each in a file of its own."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def query(name: str) -> str:
    """Give the text of a statement."""
    return resources.files("harvest.report").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
