"""Read just enough of a query to speak about it: its parameters, its words, and where something stands. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# What is never closed goes on to the end: looking for that again and again would take for ever.
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<text>'(?:[^']|'')*(?:'|\Z))"
    r'|(?P<quoted>"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z))'
    r"|(?P<parameter>[:@$]\w+|\?\d*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<word>[^\W\d][\w$]*)"
    r"|(?P<other>\S)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class SqlToken:
    """A piece of SQL and where it begins."""

    kind: str
    text: str
    start: int


def tokens(sql: str) -> Iterator[SqlToken]:
    """Cut SQL into pieces, comments left out."""
    for match in _TOKEN.finditer(sql):
        if match.lastgroup != "comment":
            yield SqlToken(str(match.lastgroup), match[0], match.start())


def parameters(sql: str) -> list[str]:
    """Give the names of the parameters in the order in which they first appear, without their marks; '?' is ''."""
    found = enumerate(token.text[1:] for token in tokens(sql) if token.kind == "parameter")
    return [name for name, _ in dict.fromkeys((name, place if not name else 0) for place, name in found)]


def words(sql: str) -> set[str]:
    """Give the names that may be those of tables, in lower case, quoted or not."""
    return {token.text.strip('"`[]').lower() for token in tokens(sql) if token.kind in ("word", "quoted")}


def position(sql: str, start: int) -> str:
    """Say where a place is: 'line 2, column 8', and for a query of one line only the column."""
    line = sql.count("\n", 0, start) + 1
    column = start - (sql.rfind("\n", 0, start) + 1) + 1
    return f"column {column}" if "\n" not in sql.strip() else f"line {line}, column {column}"


def places(sql: str, wanted: str) -> list[int]:
    """Give where a name or sign stands in a query, outside comments and text. 'a.b' stands where 'b' follows 'a.'"""
    want = [token.text.strip('"`[]').lower() for token in tokens(wanted)] or [wanted.lower()]
    have = list(tokens(sql))
    plain = [token.text.lower() if token.kind == "text" else token.text.strip('"`[]').lower() for token in have]
    return [have[i].start for i in range(len(have)) if plain[i : i + len(want)] == want]
