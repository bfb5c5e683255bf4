"""Write the answer to a query: as a table for people, as CSV, as JSON, or as one JSON object a line.

CSV and JSON lines leave as they come, in UTF-8. A table is laid out by its first rows.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, TextIO

from harvest.cli.output.encoding import write_utf8
from harvest.system.logs import printable
from harvest.system.spreadsheet import without_formula

Rows = Iterable[Sequence[Any]]
Writer = Callable[[Sequence[str], Rows, TextIO], int]

LAID_OUT = 1000  # rows by which the columns of a table are laid out,
_HELD = 4_000_000  # if they hold no more than so many characters
_NARROWEST = 8  # a column is not cut below this
_WIDEST = 60  # a column whose cells are not cut; what is longer moves the rest of its own line alone
_GAP = "  "
_NULL = "NULL"
# What JSON allows in a text and a terminal may obey, or cannot write.
_UNSAFE = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def write_csv(columns: Sequence[str], rows: Rows, out: TextIO) -> int:
    """Write CSV with a head; NULL is an empty cell. Give the number of rows."""
    counted = _Counted(rows)
    writer = csv.writer(write_utf8(out), lineterminator="\n")
    writer.writerow([_csv_cell(column) for column in columns])
    writer.writerows([_csv_cell(value) for value in row] for row in counted)
    return counted.n


def write_ndjson(columns: Sequence[str], rows: Rows, out: TextIO) -> int:
    """Write one JSON object a line. Give the number of rows."""
    n = 0
    write_utf8(out)
    for text in _objects(columns, rows):
        out.write(f"{text}\n")
        n += 1
    return n


def write_json(columns: Sequence[str], rows: Rows, out: TextIO) -> int:
    """Write one JSON array of objects, an object a line. Give the number of rows."""
    n = 0
    write_utf8(out).write("[")
    for text in _objects(columns, rows):
        out.write(f"{',' if n else ''}\n{text}")
        n += 1
    out.write("\n]\n" if n else "]\n")
    return n


def table_writer(width: int | None, *, dim: Callable[[str], str] = str) -> Writer:
    """Make the writer of tables: `width` columns of a terminal, or None for a table that nothing is cut of. `dim` marks
    what is no value.
    """

    def write(columns: Sequence[str], rows: Rows, out: TextIO) -> int:
        rows = iter(rows)
        first = list(_first(rows))
        heads, cells = [_cell(column) for column in columns], [[_cell(value) for value in row] for row in first]
        widths = [max(_width(row[i]) for row in (heads, *cells)) for i in range(len(heads))]
        right = [_is_number(row[i] for row in first) for i in range(len(heads))]
        if width is None:
            widths = [min(w, _WIDEST) for w in widths]
        else:
            widths = fitted(widths, width, heads)
            if sum(widths) + len(_GAP) * (len(widths) - 1) > width:
                return _write_upright(columns, chain(first, rows), out, width, dim)
        out.write(_line(heads, widths, right) + "\n")
        out.write(_GAP.join("-" * w for w in widths) + "\n")
        n = 0
        for row in chain(first, rows):
            out.write(
                _line([_cell(value) for value in row], widths, right, row=row, dim=dim, cut=width is not None) + "\n"
            )
            n += 1
        return n

    return write


def stdout_table() -> Writer:
    """Make the writer of tables for stdout: as wide as the terminal, or uncut where there is none."""
    if not sys.stdout.isatty():
        return table_writer(None)
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    dim = str if plain else lambda text: f"\x1b[2m{text}\x1b[0m"
    return table_writer(shutil.get_terminal_size().columns, dim=dim)


def _first(rows: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Give the rows by which a table is laid out: as many as fit into a few megabytes."""
    held = 0
    for row in islice(rows, LAID_OUT):
        yield row
        held += sum(len(value) for value in row if isinstance(value, str | bytes))
        if held > _HELD:
            return


def fitted(widths: Sequence[int], width: int, heads: Sequence[str]) -> list[int]:
    """Narrow columns until the table fits, addresses first and then the widest, as far as their heads allow. Pure."""
    fit = list(widths)
    least = [min(w, max(_NARROWEST, min(_width(head), 12))) for w, head in zip(widths, heads, strict=True)]
    room = width - len(_GAP) * (len(fit) - 1)
    addresses = [i for i, head in enumerate(heads) if head.endswith("url")]
    for columns in (addresses, range(len(fit))):
        while sum(fit) > room and (loose := [i for i in columns if fit[i] > least[i]]):
            fit[max(loose, key=lambda i: fit[i])] -= 1
    return fit


def _write_upright(columns: Sequence[str], rows: Rows, out: TextIO, width: int, dim: Callable[[str], str]) -> int:
    """Write each row as lines of name and value, for tables too wide to stand side by side."""
    label = max(_width(column) for column in columns)
    n = 0
    for row in rows:
        out.write(("\n" if n else "") + dim(f"row {n + 1}") + "\n")
        for column, value in zip(columns, row, strict=True):
            text = _cut(_cell(value), max(width - label - len(_GAP), 1))
            out.write(f"{column}{' ' * (label - _width(column))}{_GAP}{dim(text) if value is None else text}\n")
        n += 1
    return n


def _line(
    cells: Sequence[str],
    widths: Sequence[int],
    right: Sequence[bool],
    *,
    row: Sequence[Any] = (),
    dim: Callable[[str], str] = str,
    cut: bool = True,
) -> str:
    line = []
    for i, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        text = _cut(cell, width) if cut else cell
        blank = " " * (width - _width(text))
        shown = dim(text) if row and row[i] is None else text
        line.append(blank + shown if right[i] else shown + blank)
    return _GAP.join(line).rstrip()


def _cell(value: Any) -> str:
    """Show a value in one line of text that a terminal cannot be moved by. NULL is no text: a text NULL is quoted."""
    if value is None:
        return _NULL
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    text = str(value)
    if not text.isprintable():
        text = printable(text.replace("\r\n", "\n"))
    return f'"{text}"' if text == _NULL else text


def _is_number(values: Iterable[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int | float) for value in known)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # here and below: for wide characters alone, `harvest sql` begins without

    return cell_len(text)


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    from rich.cells import set_cell_size

    return set_cell_size(text, max(width - 1, 0)).rstrip() + "…"


def _csv_cell(value: Any) -> Any:
    if isinstance(value, str):
        return without_formula(value if value.isprintable() else printable(value))
    return value.hex() if isinstance(value, bytes) else value


def _objects(columns: Sequence[str], rows: Rows) -> Iterator[str]:
    import msgspec  # for JSON alone

    encode = msgspec.json.Encoder().encode
    for row in rows:
        text = encode(dict(zip(columns, row, strict=True))).decode()
        yield text if text.isprintable() else _UNSAFE.sub(lambda m: json.dumps(m[0])[1:-1], text)


class _Counted:
    """Counts rows as they pass."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.n = 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for row in self._rows:
            self.n += 1
            yield row
