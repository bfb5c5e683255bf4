"""Read the data dictionary, schema/README.md: what each table, view and column means. Pure.

Each of them has a heading of the third level that is its name, a first paragraph, and a table with a row per column, or
for several columns that go together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ENTRY = re.compile(r"^### `(\w+)`\n(.*?)(?=^#{2,3} |\Z)", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"`(\w+)`")
_EMPHASIS = re.compile(r"\*{1,2}([^\s*](?:[^*]*[^\s*])?)\*{1,2}")  # an asterisk that stands alone is an asterisk
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A table or view: what it is, and what its columns mean, as Markdown without line breaks."""

    about: str
    columns: dict[str, str]


def read_dictionary(markdown: str) -> dict[str, Entry]:
    """Give the entries by name."""
    return {name: Entry(_about(body), _columns(body)) for name, body in _ENTRY.findall(markdown)}


def plain(text: str) -> str:
    """Take the marks of Markdown away, and line breaks."""
    return " ".join(_EMPHASIS.sub(r"\1", _LINK.sub(r"\1", text)).replace("`", "").split())


def _about(body: str) -> str:
    return " ".join(body.strip().split("\n\n")[0].split())


def _columns(body: str) -> dict[str, str]:
    lines = body.splitlines()
    head = next((place for place, line in enumerate(lines) if line.startswith("| column |")), len(lines))
    columns: dict[str, str] = {}
    for line in lines[head + 2 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        columns.update(dict.fromkeys(_NAME.findall(cells[0]), cells[-1]))
    return columns
