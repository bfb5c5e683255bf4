"""Sequences of rows: gone through one by one, indexed, cut, counted, and turned into data frames and graphs.

Nothing is held in memory: each look asks the file again, also while it is being crawled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from operator import index
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args, get_type_hints, overload

from harvest.errors import QueryError
from harvest.python import frames, graphs, html
from harvest.python.frames import KINDS, ROWS_AT_ONCE
from harvest.python.graphs import EdgeIndex, Matrix
from harvest.python.sources import Held, Source, paged

if TYPE_CHECKING:
    import igraph
    import networkx
    import pandas
    import polars
    import pyarrow

Row = TypeVar("Row", bound=tuple[Any, ...])


class Rows(Sequence[Row], Generic[Row]):
    """What a query gives, in its order. An index or a slice asks for what is wanted alone."""

    def __init__(
        self, source: Source, make: Callable[[tuple[Any, ...]], Row], kinds: Mapping[str, str] | None = None
    ) -> None:
        self._source, self._make, self._kinds = source, make, kinds or {}

    def __iter__(self) -> Iterator[Row]:
        for row in self._source.rows():
            yield self._make(row)

    def __len__(self) -> int:
        return self._source.count()

    @overload
    def __getitem__(self, wanted: int) -> Row: ...

    @overload
    def __getitem__(self, wanted: slice) -> Rows[Row]: ...

    def __getitem__(self, wanted: int | slice) -> Row | Rows[Row]:
        """Give a row by its place, or a part, which is such a sequence too. Raises IndexError."""
        if isinstance(wanted, slice):
            if wanted.step not in (None, 1):
                raise QueryError("A part of a sequence goes on step by step: of a list, list(rows), take every other.")
            first, last = wanted.start or 0, wanted.stop
            if first < 0 or (last is not None and last < 0):
                first, last, _ = slice(first, last).indices(len(self))
            most = -1 if last is None else max(last - first, 0)
            return Rows(self._source.cut(first, most), self._make, self._kinds)
        try:
            wanted = index(wanted)
        except TypeError:
            raise TypeError(
                f"a row is found by its place, a whole number, and a column by pick(), not {wanted!r}"
            ) from None
        place = wanted + len(self) if wanted < 0 else wanted
        found = list(self._source.cut(place, 1).rows()) if place >= 0 else []
        if not found:
            raise IndexError(f"there is no row {wanted}")
        return self._make(found[0])

    def __reversed__(self) -> Iterator[Row]:
        yield from reversed(list(self))

    def __bool__(self) -> bool:
        return self.first() is not None

    def __repr__(self) -> str:
        shown = list(self[: html.SHOWN + 1])
        more = ", ..." if len(shown) > html.SHOWN else ""
        return f"[{', '.join(map(repr, shown[: html.SHOWN]))}{more}]"

    def _repr_html_(self) -> str:
        shown = list(self._source.cut(0, html.SHOWN + 1).rows())
        caption = f"{len(shown)} row{'' if len(shown) == 1 else 's'}"
        if len(shown) > html.SHOWN:
            caption = f"The first {html.SHOWN} rows; len() counts them."
        return html.table(self.columns, shown[: html.SHOWN], caption)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._source.columns()

    def first(self) -> Row | None:
        """Give the first row, None when there is none."""
        with closing(self._source.rows()) as rows:  # type: ignore[type-var]  # a generator, or of a list
            return next(map(self._make, rows), None)

    def pick(self, *columns: str) -> Rows[tuple[Any, ...]]:
        """Keep some columns: the others are not read. The rows are plain tuples. Raises QueryError."""
        there = self.columns
        if unknown := [name for name in columns if name not in there]:
            raise QueryError(f"There is no column {', '.join(unknown)}; there are {', '.join(there)}.")
        return Rows(self._source.picked(columns), lambda row: row, self._kinds)

    def batches(self, size: int = ROWS_AT_ONCE) -> Iterator[Rows[Row]]:
        """Give all rows in parts that are in memory, of `size` rows or less, one after the other: for what has to be
        done with data frames and fits into memory in parts alone.
        """
        columns = self.columns
        for page in paged(self._source.rows(), size):
            yield Rows(Held(columns, page), self._make, self._kinds)

    def to_pandas(self) -> pandas.DataFrame:
        """Give a DataFrame; numbers that may be missing become nullable integers. Needs pandas."""
        return frames.to_pandas(*self._parts())

    def to_polars(self) -> polars.DataFrame:
        """Give a polars DataFrame. Needs polars."""
        return frames.to_polars(*self._parts())

    def to_arrow(self) -> pyarrow.Table:
        """Give an Arrow table. Needs pyarrow."""
        return frames.to_arrow(*self._parts())

    def to_scipy(self, source: str | None = None, target: str | None = None, weight: str | None = None) -> Matrix:
        """Give a sparse matrix: a row for each id of `source`, a column for each of `target`, by default the first two
        columns called ..._id; in it the `weight`, by default 1. Needs scipy.
        """
        return graphs.to_scipy(*self._edges(source, target, weight))

    def to_networkx(
        self, source: str | None = None, target: str | None = None, weight: str | None = None, *, directed: bool = False
    ) -> networkx.Graph[Any]:
        """Give a graph of NetworkX, whose nodes are pairs as ("user", 1). Ends and weight are those of `to_scipy`."""
        return graphs.to_networkx(*self._edges(source, target, weight), directed=directed)

    def to_igraph(
        self, source: str | None = None, target: str | None = None, weight: str | None = None, *, directed: bool = False
    ) -> igraph.Graph:
        """Give a graph of igraph, whose vertices have `id` and `kind`. Ends and weight are those of `to_scipy`."""
        return graphs.to_igraph(*self._edges(source, target, weight), directed=directed)

    def to_torch(self, source: str | None = None, target: str | None = None, weight: str | None = None) -> EdgeIndex:
        """Give tensors of PyTorch: edges by place, and which id is where. Ends and weight are those of `to_scipy`."""
        return graphs.to_torch(*self._edges(source, target, weight))

    def _parts(self) -> tuple[list[str], Iterable[frames.Page], Mapping[str, str]]:
        return self.columns, paged(self._source.rows(), ROWS_AT_ONCE), self._kinds

    def _edges(
        self, source: str | None, target: str | None, weight: str | None
    ) -> tuple[graphs.Ends, Iterable[frames.Page]]:
        ends = graphs.ends_of(self.columns, source, target, weight)
        return ends, paged(self._source.picked(ends.columns).rows(), ROWS_AT_ONCE)


def kinds_of(row: type[tuple[Any, ...]]) -> dict[str, str]:
    """Give what the columns of a named tuple hold, for where all of a column is unknown."""
    hints = get_type_hints(row).items()
    told = ((name, kind) for name, hint in hints for kind in (get_args(hint) or (hint,)))
    return {name: KINDS[kind] for name, kind in told if kind in KINDS}
