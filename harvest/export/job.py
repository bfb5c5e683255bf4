"""One export under way: what to ask, where files go, who is told. Writers of all formats work with this."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harvest.export.choices import ExportChoices
from harvest.export.selection import Selection, Tell
from harvest.export.tables import Column, Row, Table

ROWS_PER_FILE = 10_000_000  # of Parquet: what one machine, and one worker of many, reads comfortably


@dataclass(frozen=True, slots=True)
class OutFile:
    """A file that was written; `path` is relative to the folder. `types` are those of its columns, of tables."""

    path: str
    table: str
    rows: int
    columns: tuple[str, ...]
    types: tuple[str, ...] = ()


class Sink(Protocol):
    """Takes rows into one file, or into several of a kind."""

    def write(self, rows: Sequence[Row]) -> None:
        """Take some rows."""

    def finish(self) -> list[OutFile]:
        """Close, and say what was written."""

    def abandon(self) -> None:
        """Let go of what is open, after an error."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a writer needs. `name` is that of the folder as it will be called."""

    selection: Selection
    folder: Path
    name: str
    tell: Tell
    rows_per_file: int = ROWS_PER_FILE

    @property
    def choices(self) -> ExportChoices:
        """What was asked for."""
        return self.selection.choices

    def batches(self, table: Table, batches: Iterable[Any] | None = None) -> Iterator[Any]:
        """Give the rows of a table in bounded lists, or in the batches that are given, and tell how far it is."""
        done = 0
        self.tell(f"writing {table.name}", done, table.expected)
        for rows in table.batches(self.selection) if batches is None else batches:
            yield rows
            done += len(rows)
            self.tell(f"writing {table.name}", done, table.expected)

    def write(
        self, table: Table, sink_for: Callable[[str], Sink], batches: Iterable[Any] | None = None
    ) -> list[OutFile]:
        """Send the rows of a table, or batches of them, to sinks named after it, or after the parts of a split."""
        names = self.choices.parts if table.split else (table.name,)
        sinks: list[Sink] = []
        try:
            sinks.extend(map(sink_for, names))
            for rows in self.batches(table, batches):
                for sink, some in zip(
                    sinks, [rows] if batches is not None else _parted(rows, table, len(names)), strict=True
                ):
                    sink.write(some)
            return [file for sink in sinks for file in sink.finish()]
        except BaseException:
            for sink in sinks:
                with contextlib.suppress(OSError):  # a full disk says so at every turn
                    sink.abandon()
            raise


def _parted(rows: list[Row], table: Table, parts: int) -> list[list[Row]]:
    """Tell train and test apart by the last column, which goes no further."""
    if not table.split:
        return [rows]
    if parts == 1:
        return [[row[:-1] for row in rows]]
    return [[row[:-1] for row in rows if not row[-1]], [row[:-1] for row in rows if row[-1]]]


def converted(
    rows: Sequence[Row], columns: Sequence[Column], how: Mapping[str, Callable[[Any], Any]]
) -> Sequence[Sequence[Any]]:
    """Change the values of some types of columns; None stays None. Rows without such columns go through untouched."""
    changes = [(place, how[column.type]) for place, column in enumerate(columns) if column.type in how]
    return [_changed(row, changes) for row in rows] if changes else rows


def _changed(row: Row, changes: list[tuple[int, Callable[[Any], Any]]]) -> list[Any]:
    values = list(row)
    for place, change in changes:
        if values[place] is not None:
            values[place] = change(values[place])
    return values
