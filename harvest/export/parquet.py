"""Write Parquet: zstd, plain types that every version of every reader knows, files of bounded length.

pyarrow is an extra: it is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import json

from harvest.errors import ExtraMissing
from harvest.export import columns
from harvest.export.escaping import moment
from harvest.export.job import Job, OutFile
from harvest.export.list_tables import all_tables
from harvest.export.tables import Column, Row, Table

if TYPE_CHECKING:
    import pyarrow

_ROWS_PER_GROUP = 250_000
_decode = json.Decoder(list[str]).decode

# Of the parts of one table, given their number: where each goes.
Naming = Callable[[str, int], list[str]]


def need_pyarrow(format_name: str) -> None:
    """Raise ExtraMissing where pyarrow is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise ExtraMissing(f"harvest export --format {format_name}", "pyarrow (or --format csv)", "arrow") from None


def write(job: Job) -> list[OutFile]:
    """Write every table that has rows."""
    return write_tables(job, plain_names)


def write_tables(job: Job, naming: Naming) -> list[OutFile]:
    """Write every table that has rows, into files called as `naming` says."""
    files = []
    for table in all_tables(job.selection):
        by_columns = table.name == "interactions" and columns.can_give(job.selection)
        batches = columns.batches(job.selection, schema_of(table.columns)) if by_columns else None
        files += job.write(table, lambda name, t=table: Parts(job, t, name, naming), batches)  # type: ignore[misc]
    return files


def plain_names(name: str, parts: int) -> list[str]:
    """Call a single file `NAME.parquet`, several `NAME/part-00000.parquet` and so on."""
    return [f"{name}.parquet"] if parts == 1 else [f"{name}/part-{n:05}.parquet" for n in range(parts)]


class Parts:
    """One table, in as many files as it takes. They get their names in the end, when it is known how many there are."""

    def __init__(self, job: Job, table: Table, name: str, naming: Naming) -> None:
        self._job, self._table, self._name, self._naming = job, table, name, naming
        self._schema = schema_of(table.columns)
        self._done: list[tuple[Path, int]] = []
        self._waiting: list[pyarrow.RecordBatch] = []
        self._file: Any = None
        self._rows = 0  # in the file being written, those that wait included
        self._open()

    def write(self, rows: Sequence[Row] | pyarrow.RecordBatch) -> None:
        """Take some rows, or a batch of them; a file that is full is closed, and the next one begun."""
        batch = as_batch(rows, self._table.columns, self._schema) if isinstance(rows, Sequence) else rows
        while len(batch):
            if self._rows == self._job.rows_per_file:
                self._close()
                self._open()
            some = batch.slice(0, self._job.rows_per_file - self._rows)
            batch = batch.slice(len(some))
            self._waiting.append(some)
            self._rows += len(some)
            if sum(batch.num_rows for batch in self._waiting) >= _ROWS_PER_GROUP:
                self._flush()

    def finish(self) -> list[OutFile]:
        """Close, and give every part its name."""
        self._close()
        there = tuple(self._table.names)
        names = self._naming(self._name, len(self._done))
        for (path, _), name in zip(self._done, names, strict=True):
            target = self._job.folder / name
            target.parent.mkdir(exist_ok=True)
            path.rename(target)
        types = self._table.types
        return [
            OutFile(name, self._name, rows, there, types) for (_, rows), name in zip(self._done, names, strict=True)
        ]

    def abandon(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _open(self) -> None:
        from pyarrow import parquet

        path = self._job.folder / f".{self._name}-{len(self._done)}"
        self._file = parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._rows = 0
        self._done.append((path, 0))

    def _flush(self) -> None:
        import pyarrow

        if self._waiting:
            table = pyarrow.Table.from_batches(self._waiting, self._schema)
            self._file.write_table(table.unify_dictionaries().combine_chunks(), row_group_size=_ROWS_PER_GROUP)
        self._waiting = []

    def _close(self) -> None:
        self._flush()
        self._file.close()
        self._done[-1] = (self._done[-1][0], self._rows)


def schema_of(declared: Sequence[Column]) -> pyarrow.Schema:
    """Declare the types: nothing is guessed from the first rows. Ids are never null."""
    import pyarrow as pa

    types = {
        "int64": pa.int64(),
        "int32": pa.int32(),
        "int16": pa.int16(),
        "float32": pa.float32(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
        "text": pa.string(),
        "kind": pa.dictionary(pa.int8(), pa.string()),
        "list": pa.list_(pa.string()),
        "time": pa.timestamp("s", tz="UTC"),
    }
    return pa.schema([pa.field(column.name, types[column.type]) for column in declared])


def as_batch(rows: Sequence[Row], declared: Sequence[Column], schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    """Turn rows into columns."""
    import pyarrow as pa

    arrays = []
    for values, column, wanted in zip(zip(*rows, strict=True), declared, schema.types, strict=True):
        if column.type == "bool":
            arrays.append(pa.array(values, pa.int8()).cast(wanted))
        elif column.type == "time":
            arrays.append(pa.array([moment(value) for value in values], pa.int64()).cast(wanted))
        elif column.type == "list":
            arrays.append(pa.array(list(map(_decode, values)), wanted))
        else:
            arrays.append(pa.array(values, wanted))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
