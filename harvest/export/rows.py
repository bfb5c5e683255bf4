"""Write CSV, JSON Lines and tab-separated text: a row a line, streamed."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from harvest.export import tables
from harvest.export.escaping import cell, time
from harvest.export.job import Job, OutFile, converted
from harvest.export.list_tables import all_tables
from harvest.export.tables import Row, Table

_ON_OFF = ("false", "true")
# What ends a line for some readers, Python's splitlines and Node's readline among them, and JSON leaves as it is.
_LINE_ENDS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))
_CSV: Mapping[str, Callable[[Any], Any]] = {
    "text": cell,
    "list": lambda text: json.dumps(json.loads(text), ensure_ascii=False),
    "bool": lambda value: _ON_OFF[value],
    "time": time,
}
_JSON: Mapping[str, Callable[[Any], Any]] = {"list": json.loads, "bool": bool, "time": time}


def write_csv(job: Job) -> list[OutFile]:
    """Write every table that has rows as CSV with a header."""
    return [file for table in all_tables(job.selection) for file in csv_of(job, table)]


def write_jsonl(job: Job) -> list[OutFile]:
    """Write every table that has rows as JSON Lines."""
    return [
        file
        for table in all_tables(job.selection)
        for file in job.write(table, lambda name, t=table: JsonLines(job, t, name))  # type: ignore[misc]
    ]


def write_tsv(job: Job) -> list[OutFile]:
    """Write user, item, rating and order, tab-separated, without a header; and users.csv, with their chances."""
    table = tables.pairs(job.selection, unknown=tables.oldest_order(job.selection))
    files = job.write(table, lambda name: Lines(job, table, name, f"{name}.tsv", header=None, delimiter="\t"))
    others = (tables.users(job.selection), *tables.maps(job.selection))
    return files + [file for table in others for file in csv_of(job, table)]


def csv_of(job: Job, table: Table) -> list[OutFile]:
    """Write one table as CSV."""
    return job.write(table, lambda name: Lines(job, table, name, f"{name}.csv", header=table.names))


class Lines:
    """A table as delimited text."""

    def __init__(
        self, job: Job, table: Table, name: str, path: str, *, header: Sequence[str] | None, delimiter: str = ","
    ) -> None:
        self._table, self._name, self._path, self._rows = table, name, path, 0
        target = job.folder / path
        target.parent.mkdir(exist_ok=True)
        self._file = target.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, delimiter=delimiter, lineterminator="\n")
        if header is not None:
            self._writer.writerow(header)

    def write(self, rows: Sequence[Row]) -> None:
        """Take some rows."""
        self._writer.writerows(converted(rows, self._table.columns, _CSV))
        self._rows += len(rows)

    def finish(self) -> list[OutFile]:
        """Close the file."""
        self._file.close()
        return [OutFile(self._path, self._name, self._rows, tuple(self._table.names), self._table.types)]

    def abandon(self) -> None:
        """Let go of the file."""
        self._file.close()


class JsonLines:
    """A table as one JSON object a line; unknown is null."""

    def __init__(self, job: Job, table: Table, name: str) -> None:
        self._table, self._name, self._rows = table, name, 0
        self._file = (job.folder / f"{name}.jsonl").open("wb")
        self._encoder = msgspec.json.Encoder()

    def write(self, rows: Sequence[Row]) -> None:
        """Take some rows."""
        names = self._table.names
        lines = [dict(zip(names, row, strict=True)) for row in converted(rows, self._table.columns, _JSON)]
        text = self._encoder.encode_lines(lines)
        for found, escape in _LINE_ENDS:
            text = text.replace(found, escape)
        self._file.write(text)
        self._rows += len(rows)

    def finish(self) -> list[OutFile]:
        """Close the file."""
        self._file.close()
        return [OutFile(f"{self._name}.jsonl", self._name, self._rows, tuple(self._table.names), self._table.types)]

    def abandon(self) -> None:
        """Let go of the file."""
        self._file.close()
