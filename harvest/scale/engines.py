"""The engines that run the expression: DuckDB in this process, Spark in this process or on a cluster.

In: an expression, where the export lies, where the result goes. Out: Parquet, which appears only when it is whole.
Never: a rule of the analysis; those are in `colikes.py`.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harvest.errors import ExtraMissing, SettingsError, StorageFailed

if TYPE_CHECKING:
    import ibis.expr.types as ir

Expression = Callable[["ir.Table", "ir.Table"], "ir.Table"]
TABLES = ("interactions", "users")
_ORDER = ("source_id", "measure", "rank")


def run_duckdb(expression: Expression, export: str, out: str, *, memory: str = "4GB") -> int:
    """Run it in this process; give how many rows it wrote. What does not fit into `memory` goes to a temporary folder
    beside the result.

    Raises SettingsError when the export is not there or the result is, StorageFailed when DuckDB gives up.
    """
    with _needed():
        import duckdb
        import ibis
    if "://" in export or "://" in out:
        raise SettingsError("DuckDB reads and writes this machine's files here; for others take --engine spark.")
    target, made = Path(out), Path(f"{out}.part")
    sources = [str(_local(Path(export), name)) for name in TABLES]
    _must_be_new(target)
    try:
        with tempfile.TemporaryDirectory(prefix=".harvest-", dir=target.parent) as folder:
            backend = ibis.duckdb.connect(memory_limit=memory, temp_directory=folder, preserve_insertion_order=False)
            try:
                result = expression(*(backend.read_parquet(source) for source in sources))
                result.order_by(*_ORDER).to_parquet(made, compression="zstd")
                rows = int(backend.read_parquet(str(made)).count().execute())
            finally:
                backend.disconnect()
        made.replace(target)
        return rows
    except (duckdb.Error, OSError) as error:
        raise StorageFailed(f"DuckDB gave up: {_first_line(error)}") from error
    finally:
        made.unlink(missing_ok=True)


def run_spark(expression: Expression, export: str, out: str) -> int:
    """Run it in the Spark session there is, as under `spark-submit`, or in one of this process; give how many rows it
    wrote.

    The result is a folder of Parquet files, whole when it holds `_SUCCESS`. Raises SettingsError when Spark does not
    start, when the export is not there or the result is, StorageFailed when Spark gives up.
    """
    with _needed():
        import ibis
        from py4j.protocol import Py4JError
        from pyspark.errors import AnalysisException, PySparkException, PySparkRuntimeError
        from pyspark.sql import SparkSession
    sources = [_anywhere(export, name) for name in TABLES]
    if "://" not in out:  # Spark itself would notice at the very end
        _must_be_new(Path(out))
        out = f"file://{Path(out).absolute()}"
    try:
        session = SparkSession.builder.appName("harvest co-likes").getOrCreate()
    except PySparkRuntimeError as error:
        raise SettingsError("Spark does not start: it needs Java 17 or 21, on the PATH or in JAVA_HOME.") from error
    try:
        backend = ibis.pyspark.connect(session)
        result = expression(*(backend.read_parquet(source) for source in sources))
        result.order_by(*_ORDER).to_parquet(out, compression="zstd")
        return int(backend.read_parquet(out).count().execute())
    except AnalysisException as error:  # a path that is not there, a result that is, a column that is missing
        raise SettingsError(f"Spark says: {_first_line(error)}") from error
    except (PySparkException, Py4JError) as error:
        raise StorageFailed(f"Spark gave up: {_root_cause(error)}") from error
    finally:
        session.stop()


def sql(expression: Expression, dialect: str) -> str:
    """Give the expression in the SQL of some engine, over tables that are called interactions and users."""
    with _needed():
        import ibis
    interactions = ibis.table(
        {
            "user_id": "int64",
            "item_id": "int64",
            "kind": "string",
            "user_list_rank": "int32",
            "track_list_rank": "int32",
        },
        name=TABLES[0],
    )
    users = ibis.table({"user_id": "int64", "likes_list": "string"}, name=TABLES[1])
    with contextlib.suppress(AttributeError, ImportError):  # some dialects have options that come with their engine
        getattr(ibis, dialect)
    try:
        return str(ibis.to_sql(expression(interactions, users), dialect=dialect))
    except (AttributeError, ValueError) as error:
        raise SettingsError(f"Ibis does not know the SQL of {dialect!r}.") from error


def hides_seeds(export: str) -> bool:
    """Say whether an export on this machine leaves out the places in tracks' lists, by which seeds are known."""
    return bool(_told(export, "ids", "mode") == "pseudonym")


def has_frames(export: str) -> bool:
    """Say whether there are tracks for which people were chosen: an export of a whole graph has none."""
    return bool(_told(export, "frames", "tracks") != 0)


def _told(export: str, *names: str) -> Any:
    """Give what the manifest says under these names; None where there is none of ours, or on other storage."""
    try:
        told = json.loads((Path(export) / "manifest.json").read_text("utf-8"))
        for name in names:
            told = told[name]
        return told
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _local(export: Path, name: str) -> Path:
    """Give the file of a table, or a pattern for the parts of a large one."""
    whole, parts = export / f"{name}.parquet", export / name
    if whole.is_file():
        return whole
    if parts.is_dir():
        return parts / "*.parquet"
    raise SettingsError(f"There is no {whole}: `harvest export {export}` writes it.")


def _anywhere(export: str, name: str) -> str:
    """Give the same for Spark, which can look on storage that we cannot: there, the pattern matches file and folder."""
    if "://" in export:
        return f"{export.rstrip('/')}/{name}{{.parquet,}}"
    return f"file://{_local(Path(export), name).absolute()}"


def _must_be_new(out: Path) -> None:
    if out.exists():
        raise SettingsError(f"{out} exists already: remove it, or name another.")
    if not out.parent.is_dir():
        raise SettingsError(f"There is no folder {out.parent} to write {out.name} into.")


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _root_cause(error: Any) -> str:
    """Say what went wrong first; Spark wraps it several times, and the outermost text says only that something did."""
    cause = getattr(error, "java_exception", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    return _first_line(error if cause is None else cause.toString())


@contextlib.contextmanager
def _needed() -> Iterator[None]:
    """Say which extra brings a package that is missing."""
    try:
        yield
    except ImportError as error:
        raise ExtraMissing("This", error.name or "ibis", "scale") from error
