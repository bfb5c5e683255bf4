"""Make data frames of rows, page by page: what a page held as Python objects is gone before the next one comes.

In: the names of columns, and pages of plain tuples. Out: a frame of pandas, Polars or Arrow, a library each of which is
imported when it is asked for. Never: a whole number that becomes a float, or an unknown that becomes 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from harvest.errors import QueryError
from harvest.python.needed import needed

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

ROWS_AT_ONCE = 50_000  # as Python objects: some 20 MB of likes with their names

Page = Sequence[tuple[Any, ...]]

# What a column holds; of none of these, or of several: `mixed`.
KINDS: dict[type, str] = {int: "whole", float: "number", str: "text", bytes: "bytes", bool: "flag"}


def to_pandas(names: Sequence[str], pages: Iterable[Page], kinds: Mapping[str, str]) -> pandas.DataFrame:
    """Give a DataFrame with nullable types: Int64, Float64, string, boolean; what is mixed stays objects."""
    pandas = needed("pandas")
    index, series = None, {}
    for place, column in enumerate(_columns(_Pandas, names, pages, kinds)):
        values = column.joined()
        index = pandas.RangeIndex(len(values)) if index is None else index
        series[place] = pandas.Series(values, index=index, copy=False)
    frame = pandas.DataFrame(series, index=index, copy=False)
    frame.columns = pandas.Index(names)
    return frame


def to_polars(names: Sequence[str], pages: Iterable[Page], kinds: Mapping[str, str]) -> polars.DataFrame:
    """Give a polars DataFrame. Raises QueryError for a column of several types."""
    polars = needed("polars")
    columns = _columns(_Polars, names, pages, kinds)
    return polars.DataFrame([column.joined() for column in columns])


def to_arrow(names: Sequence[str], pages: Iterable[Page], kinds: Mapping[str, str]) -> pyarrow.Table:
    """Give an Arrow table in chunks of a page. Raises QueryError for a column of several types."""
    pyarrow = needed("pyarrow")
    columns = _columns(_Arrow, names, pages, kinds)
    return pyarrow.Table.from_arrays([column.joined() for column in columns], names=list(names))


class _Column(ABC):
    """A column that is put together: pieces of one kind each, and how many rows of unknowns stand where."""

    def __init__(self, name: str, kind: str | None) -> None:
        self._name, self._declared = name, kind
        self._pieces: list[tuple[str | None, Any]] = []  # of unknowns alone: None and their number

    def take(self, values: tuple[Any, ...]) -> None:
        """Take the values of one page."""
        found = {KINDS.get(kind, "mixed") for kind in set(map(type, values)) - {type(None)}}
        if not found:
            self._pieces.append((None, len(values)))
            return
        kind = _one_of(found)
        if kind == "whole" and self._declared == "flag":
            kind, values = "flag", tuple(None if value is None else bool(value) for value in values)
        self._pieces.append((kind, self._piece(values, kind)))

    def joined(self) -> Any:
        """Give the whole column, and let go of the pieces."""
        pieces, self._pieces = self._pieces, []
        kind = _one_of({kind for kind, _ in pieces if kind}) or self._declared or "nothing"
        same = [
            self._unknown(piece, kind) if of is None else piece if of == kind else self._turned(piece, kind)
            for of, piece in pieces
        ]
        return self._join(same, kind)

    def _refuse_mixed(self) -> QueryError:
        return QueryError(
            f"The column {self._name} holds values of several types, which only pandas takes: CAST it in SQL."
        )

    @abstractmethod
    def _piece(self, values: tuple[Any, ...], kind: str) -> Any:
        """Make a piece of values of one kind and unknowns."""

    @abstractmethod
    def _unknown(self, n: int, kind: str) -> Any:
        """Make a piece of unknowns."""

    @abstractmethod
    def _turned(self, piece: Any, kind: str) -> Any:
        """Make a piece one of another kind."""

    @abstractmethod
    def _join(self, pieces: list[Any], kind: str) -> Any:
        """Put pieces of one kind together."""


def _one_of(kinds: set[str]) -> str:
    """Give the one kind that holds all of these; '' of none."""
    if len(kinds) > 1:
        return "number" if kinds == {"whole", "number"} else "mixed"
    return next(iter(kinds), "")


def _columns(
    make: type[_Column], names: Sequence[str], pages: Iterable[Page], kinds: Mapping[str, str]
) -> Iterator[_Column]:
    """Go through all pages, then give the columns one by one, and keep none."""
    columns = [make(name, kinds.get(name)) for name in names]
    for page in pages:
        for column, values in zip(columns, zip(*page, strict=True), strict=True):
            column.take(values)
    columns.reverse()
    while columns:
        yield columns.pop()


class _Pandas(_Column):
    _TYPES: ClassVar = {
        "whole": "Int64", "number": "Float64", "text": "string", "flag": "boolean", "bytes": "object",
        "mixed": "object", "nothing": "object",
    }  # fmt: skip

    def __init__(self, name: str, kind: str | None) -> None:
        super().__init__(name, kind)
        self._pandas, self._numpy = needed("pandas"), needed("numpy")
        self._seen: dict[str, str] = {}
        self._in_arrow = self._pandas.StringDtype().storage == "pyarrow"

    def _piece(self, values: tuple[Any, ...], kind: str) -> Any:
        numpy, known = self._numpy, None not in values
        if kind in ("whole", "number"):
            # built of what they are made of: of a list of Python's, whole numbers would pass through floats
            array = self._pandas.arrays.IntegerArray if kind == "whole" else self._pandas.arrays.FloatingArray
            numbers = values if known else [0 if value is None else value for value in values]
            unknown = numpy.zeros(len(values), bool) if known else numpy.array([value is None for value in values])
            return array(numpy.array(numbers, numpy.int64 if kind == "whole" else numpy.float64), unknown)
        if kind == "text" and not self._in_arrow:  # Python objects: each text once
            values = tuple(None if value is None else self._seen.setdefault(value, value) for value in values)
        return self._pandas.array(_objects(numpy, values), dtype=self._TYPES[kind])

    def _unknown(self, n: int, kind: str) -> Any:
        return self._pandas.array(_objects(self._numpy, (None,) * n), dtype=self._TYPES[kind])

    def _turned(self, piece: Any, kind: str) -> Any:
        return piece.astype(self._TYPES[kind])

    def _join(self, pieces: list[Any], kind: str) -> Any:
        if not pieces:
            return self._pandas.array([], dtype=self._TYPES[kind])
        series = [self._pandas.Series(piece, copy=False) for piece in pieces]
        return self._pandas.concat(series, ignore_index=True).array


def _objects(numpy: Any, values: tuple[Any, ...]) -> Any:
    array = numpy.empty(len(values), dtype=object)
    array[:] = values
    return array


class _Polars(_Column):
    def __init__(self, name: str, kind: str | None) -> None:
        super().__init__(name, kind)
        self._polars = needed("polars")

    def _type(self, kind: str) -> Any:
        if kind == "mixed":
            raise self._refuse_mixed()
        types = {"whole": "Int64", "number": "Float64", "text": "String", "flag": "Boolean", "bytes": "Binary"}
        return getattr(self._polars, types.get(kind, "Null"))

    def _piece(self, values: tuple[Any, ...], kind: str) -> Any:
        return self._polars.Series(self._name, values, dtype=self._type(kind), strict=kind != "number")

    def _unknown(self, n: int, kind: str) -> Any:
        return self._polars.Series(self._name, [None] * n, dtype=self._type(kind))

    def _turned(self, piece: Any, kind: str) -> Any:
        return piece.cast(self._type(kind))

    def _join(self, pieces: list[Any], kind: str) -> Any:
        empty = self._polars.Series(self._name, [], dtype=self._type(kind))
        return self._polars.concat(pieces, rechunk=False) if pieces else empty


class _Arrow(_Column):
    def __init__(self, name: str, kind: str | None) -> None:
        super().__init__(name, kind)
        self._arrow = needed("pyarrow")

    def _type(self, kind: str) -> Any:
        if kind == "mixed":
            raise self._refuse_mixed()
        types = {"whole": "int64", "number": "float64", "text": "string", "flag": "bool_", "bytes": "binary"}
        return getattr(self._arrow, types.get(kind, "null"))()

    def _piece(self, values: tuple[Any, ...], kind: str) -> Any:
        return self._arrow.array(values, self._type(kind))

    def _unknown(self, n: int, kind: str) -> Any:
        return self._arrow.nulls(n, self._type(kind))

    def _turned(self, piece: Any, kind: str) -> Any:
        return piece.cast(self._type(kind))

    def _join(self, pieces: list[Any], kind: str) -> Any:
        return self._arrow.chunked_array(pieces, self._type(kind))
