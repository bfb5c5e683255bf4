"""Read a harvested file from Python: typed rows, gone through one by one, and data frames of them.

In: the path of a file. Out: named tuples with the columns of its tables and views. Never: a write, or rows held in
memory that nobody asked to hold.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from harvest.analysis.radio import Radio, Suggested, radio
from harvest.analysis.run import check_extra
from harvest.citing.cite import as_json
from harvest.citing.facts import facts
from harvest.errors import SettingsError, how_to_install
from harvest.explore import changes as told
from harvest.explore.changes import Change
from harvest.explore.named import named_query
from harvest.export.playlists import write
from harvest.inference.bias import Bias, biases
from harvest.inference.estimate import estimate
from harvest.inference.questions import LIKES, Question, Result
from harvest.settings import DEFAULT_PATH
from harvest.store import provenance
from harvest.store.database import check_readable, open_to_read
from harvest.store.handouts import remember
from harvest.store.judgments import TAKEN_BACK, VERDICTS, Judgment, judge
from harvest.store.samples import Judged, coverages
from harvest.store.status import Overview, overview
from harvest.system.clock import SystemClock, as_text
from harvest.things import SHOWN

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

Row = TypeVar("Row", bound=tuple[Any, ...])


class HarvestRow(NamedTuple):
    """A harvest: where it started and how far it is."""

    id: int
    seed_url: str
    seed_id: int | None
    state: str
    level: int
    reason: str | None
    started_at: str
    finished_at: str | None


class UserRow(NamedTuple):
    """A row of `users`, without what is personal."""

    id: int
    username: str | None
    permalink_url: str | None
    created_at: str | None
    followers_count: int | None
    followings_count: int | None
    track_count: int | None
    playlist_count: int | None
    likes_given_count: int | None
    reposts_given_count: int | None
    seen_as: str
    status: str


class TrackRow(NamedTuple):
    """A row of `tracks`, without the long texts."""

    id: int
    uploader_id: int | None
    title: str | None
    permalink_url: str | None
    created_at: str | None
    duration_ms: int | None
    genre: str | None
    playback_count: int | None
    likes_count: int | None
    reposts_count: int | None
    comment_count: int | None
    access: str | None
    seen_as: str
    status: str


class Engagement(NamedTuple):
    """A row of the views `likes` and `reposts`."""

    user_id: int
    username: str | None
    track_id: int
    title: str | None
    artist: str | None
    permalink_url: str | None
    user_list_rank: int | None
    track_list_rank: int | None
    user_list: str


class List(NamedTuple):
    """A row of the view `lists`: the ledger."""

    task_id: int
    kind: str
    what: str
    subject_id: int
    subject: str | None
    outcome: str
    claimed: int | None
    collected: int
    missing: int | None
    skipped: int
    pages_read: int
    read_until: str | None
    goes_on: int


class Sampled(NamedTuple):
    """A row of the view `sample`: who was listed, who was followed, with what chance."""

    harvest_id: int
    track_id: int
    user_id: int
    username: str | None
    engagement_type: str
    track_list_rank: int
    likes_given_count: int | None
    chosen: int
    chance: float | None
    censored: int
    answer: str
    likes_read: int | None
    once: int


class Interaction(NamedTuple):
    """A row of the view `interactions`: the input of recommenders."""

    user_id: int
    track_id: int
    liked: int
    reposted: int
    like_rank: int | None


class Verdict(NamedTuple):
    """A row of the view `verdicts`: what you think of a track."""

    track_id: int
    verdict: str
    judged_at: str
    title: str | None
    permalink_url: str | None


class Stood(NamedTuple):
    """A like or repost that stood on a day: for `certain`, or possibly; see the view `spells`."""

    user_id: int
    username: str | None
    track_id: int
    title: str | None
    engagement_type: str
    certain: int
    came_after: str | None
    seen_from: str
    seen_until: str
    gone_by: str | None
    reason: str | None


class Rows(Generic[Row]):
    """What a query gives, asked anew each time it is gone through; nothing is held in memory."""

    def __init__(
        self, path: Path, sql: str, parameters: tuple[Any, ...] | Mapping[str, Any], make: Callable[..., Row]
    ) -> None:
        self._path, self._sql, self._parameters, self._make = path, sql, parameters, make

    def __iter__(self) -> Iterator[Row]:
        with contextlib.closing(open_to_read(self._path)) as connection:
            for row in connection.execute(self._sql, self._parameters):
                yield self._make(*row)

    def __len__(self) -> int:
        with contextlib.closing(open_to_read(self._path)) as connection:
            try:  # a comment may stand at the end
                (n,) = connection.execute(f"SELECT count(*) FROM (\n{self._sql}\n)", self._parameters).fetchone()  # noqa: S608
            except sqlite3.OperationalError:  # no part of another query: a PRAGMA, or a semicolon before the comment
                n = sum(1 for _ in connection.execute(self._sql, self._parameters))
            return int(n)

    def __repr__(self) -> str:
        return f"Rows({self._sql!r})"

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        with contextlib.closing(open_to_read(self._path)) as connection:
            cursor = connection.execute(self._sql, self._parameters)  # which finds the first row at most
            return [column[0] for column in cursor.description or ()]

    def first(self) -> Row | None:
        """Give the first row, None when there is none."""
        with contextlib.closing(iter(self)) as rows:  # type: ignore[type-var]  # it is a generator
            return next(rows, None)

    def to_pandas(self) -> pandas.DataFrame:
        """Give a DataFrame; numbers that may be missing become nullable integers. Needs pandas."""
        with _needed("pandas"):
            import pandas
        names, rows = self.columns, list(self)
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        frame = pandas.concat([pandas.Series(_exact(pandas, column)) for column in columns], axis=1)
        frame.columns = pandas.Index(names)
        return frame

    def to_polars(self) -> polars.DataFrame:
        """Give a polars DataFrame. Needs polars."""
        with _needed("polars"):
            import polars
        return polars.DataFrame(list(self), schema=self.columns, orient="row", infer_schema_length=None)

    def to_arrow(self) -> pyarrow.Table:
        """Give an Arrow table. Needs pyarrow."""
        with _needed("arrow", "pyarrow"):
            import pyarrow
        rows = list(self)
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(self.columns)
        return pyarrow.table(dict(zip(self.columns, columns, strict=True)))


class File:
    """A harvested file, to be read; also while it is being crawled."""

    def __init__(self, path: Path | str) -> None:
        """Raises NotADatabase, SchemaTooNew, StoreError."""
        self.path = Path(path)
        check_readable(self.path)

    def __repr__(self) -> str:
        return f"harvest.open({str(self.path)!r})"

    def overview(self) -> Overview:
        """Count what the file holds, as `harvest status` shows it."""
        with self.connection() as connection:
            return overview(connection)

    def coverage(self) -> list[Judged]:
        """Say of each seed that is a track how much of what the people around it like the sample has seen, or why there
        is no saying: `.coverage.new_share` is the share of the next person's likes that would be new.
        """
        with self.connection() as connection:
            return coverages(connection)

    def cite(self) -> dict[str, Any]:
        """Say how to cite the file and harvest: `text`, `data`, `bibtex`, and the sentences on `methods`."""
        with self.connection() as connection:
            return as_json(facts(connection))

    def estimate(self, of: str = LIKES, **how: Any) -> Result:
        """Estimate a mean, shares (`by='genre'`) or a total (`total=True`) over everybody listed, from a random sample:
        `.answers` hold the estimates with their 95 % intervals, `.conditions` what they rest on. `per`, `estimator`,
        `capped`, `track_id`, `groups`, `rake` and `seed` are the options of `harvest estimate`.

        Raises SettingsError for a question that makes no sense, or that the file cannot answer, with the reason.
        """
        there = [field.name for field in fields(Question)]
        if unknown := sorted(set(how) - set(there)):
            raise SettingsError(f"There is no option {', '.join(unknown)}; there are {', '.join(there)}.")
        with self.connection() as connection:
            return estimate(connection, Question(of, **how))

    def judge(self, wanted: int | str | Iterable[int | str], verdict: str) -> Judgment:
        """Say what you think of a track, of the tracks of a playlist, or of several: 'liked', 'not_interested',
        'not_quite', or 'none', which takes a verdict back. Says of how many tracks it was, and how many were told so
        before; `verdicts` are those that count.

        Raises SeedError where one is not in the file, SettingsError for another verdict.
        """
        if verdict not in (*VERDICTS, TAKEN_BACK):
            raise SettingsError(f"There is no verdict {verdict!r}; there are {', '.join((*VERDICTS, TAKEN_BACK))}.")
        several = [wanted] if isinstance(wanted, int | str) else wanted
        return judge(self.path, [str(one) for one in several], verdict, now=SystemClock().now())

    def radio(self, *given: int | str, size: int = 20, per_artist: int = 1) -> Radio:
        """Say what to play after some tracks, or after what playlists hold, from the file alone: `.tracks` are up to
        `size` of them, the nearest first, `per_artist` of an artist (0: any number), with the reasons.

        Raises SeedError where one is not in the file.
        """
        with self.connection() as connection:
            return radio(connection, map(str, given), size=size, per_artist=per_artist)

    def bias(self) -> list[Bias]:
        """Say of each seed that is a track how those who were followed, and those who answered, differ from everybody
        listed around it: `.compared` has the means and the differences in standard deviations.
        """
        with self.connection() as connection:
            return biases(connection)

    def save_playlist(self, out: Path | str, tracks: Iterable[int | Suggested], *, title: str = "harvest") -> int:
        """Save tracks, by id or as `radio` gives them, as a list for players: `out` ends in .m3u or .jspf. Gives how
        many, and notes in the file that it was made. Raises SettingsError, StorageFailed.
        """
        ids = (one if isinstance(one, int) else one.track_id for one in tracks)
        now = SystemClock().now()
        with self.connection() as connection:
            n = write(connection, ids, Path(out), title=title, now=as_text(now))
        remember(self.path, "playlist", Path(out), now=now)
        return n

    def backbone(self, of: str = "tracks", *, level: float = 0.05) -> Iterator[tuple[int, int, float, float]]:
        """Give the edges between tracks, or people, that are more than chance would give one of their ends, each once:
        both ids, the score, and the alpha of the disparity filter, below `level`. Of what `harvest analyze` found.

        Raises SettingsError for anything else, or where nothing was analysed. Needs the extra `analysis`.
        """
        check_extra()
        from harvest.analysis.communities import backbone_of

        with self.connection() as connection:
            yield from backbone_of(connection, of, level)

    def why(self, thing: str, which: int | str, *, limit: int = 3) -> provenance.Reason:
        """Tell why a 'user', a 'track', a 'playlist' or a 'station' is in the file."""
        shown = [one.name for one in SHOWN]
        if thing not in shown:
            raise ValueError(f"why one of {', '.join(shown)}, not {thing!r}")
        with self.connection() as connection:
            return provenance.why(connection, thing, str(which), limit=limit)

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open a connection that can only read."""
        with contextlib.closing(open_to_read(self.path)) as connection:
            yield connection

    def query(self, sql: str, *parameters: Any) -> Rows[tuple[Any, ...]]:
        """Ask in SQL; the rows are plain tuples."""
        return Rows(self.path, sql.strip().rstrip(";"), parameters, lambda *row: row)

    @property
    def seeds(self) -> Rows[HarvestRow]:
        """One row per seed."""
        return self._table("harvests", HarvestRow)

    @property
    def users(self) -> Rows[UserRow]:
        """One row per account."""
        return self._table("users", UserRow)

    @property
    def tracks(self) -> Rows[TrackRow]:
        """One row per track."""
        return self._table("tracks", TrackRow)

    @property
    def likes(self) -> Rows[Engagement]:
        """Who likes what."""
        return self._table("likes", Engagement)

    @property
    def reposts(self) -> Rows[Engagement]:
        """Who reposted what."""
        return self._table("reposts", Engagement)

    @property
    def lists(self) -> Rows[List]:
        """How every list ended, and what is missing of it."""
        return self._table("lists", List)

    @property
    def sample(self) -> Rows[Sampled]:
        """Everybody listed around the tracks of a harvest, with who was followed."""
        return self._table("sample", Sampled)

    @property
    def interactions(self) -> Rows[Interaction]:
        """One row per user and track."""
        return self._table("interactions", Interaction)

    @property
    def verdicts(self) -> Rows[Verdict]:
        """What you think of tracks."""
        return self._table("verdicts", Verdict)

    def changes(self, since: int | str | date | timedelta = 0, *, of: str | None = None) -> Rows[Change]:
        """What came, went and why, was renamed, in the order in which it was seen: all of it, or what is later than a
        version, a day or moment (UTC unless it says otherwise), or a length of time ago, as a text '7d' too. `of`, a
        URN or an address, is the one thing it is to be about.

        Raises SettingsError where `since` is none of these, SeedError where there is no such thing in the file.
        """
        try:
            later = told.parse_since(str(since)) if isinstance(since, int | str) else as_text(_moment_of(since))
        except (ValueError, OverflowError) as error:
            raise SettingsError(f"since: {error}.") from None
        with self.connection() as connection:
            version = told.version_at(connection, later)
            kind, thing_id = told.thing_at(connection, of) if of is not None else (None, None)
        wanted = {"since": version, "limit": -1, "id": thing_id}
        return Rows(self.path, told.changes_sql(kind), wanted, told.as_change)

    def as_of(self, day: date | str, *, certain: bool = True, of: str | None = None) -> Rows[Stood]:
        """The likes and reposts that stood on a day, or at a moment (UTC unless it says otherwise): those that did for
        certain, or also those that possibly did. `of`, a URN or an address, is the person or track to be asked about.

        Raises SettingsError where that is no day, SeedError where there is no such person or track in the file.
        """
        query = named_query("as-of")
        assert query is not None
        wanted: dict[str, Any] = {"user": None, "track": None}
        if of is not None:
            with self.connection() as connection:
                kind, thing_id = told.thing_at(connection, of)
            if kind not in wanted:
                raise SettingsError(f"of is a person or a track, and {of} is a {kind}.")
            wanted[kind] = thing_id
        wanted |= {"day": _day(day), "which": "certain" if certain else "possible", "limit": -1}
        return Rows(self.path, query.body.rstrip(";"), wanted, Stood)

    def _table(self, name: str, row: type[Row]) -> Rows[Row]:
        columns = ", ".join(row._fields)  # type: ignore[attr-defined]  # named tuples
        return Rows(self.path, f"SELECT {columns} FROM {name}", (), row)  # noqa: S608 - our own names


def open(path: Path | str = DEFAULT_PATH) -> File:
    """Open a harvested file to read it. Raises StoreError when there is none."""
    return File(path)


def _moment_of(since: date | timedelta) -> datetime:
    """Give the moment that is meant; a day is its beginning."""
    if isinstance(since, timedelta):
        return datetime.now(UTC) - since
    moment = since if isinstance(since, datetime) else datetime.combine(since, time())
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _day(day: date | str) -> str:
    """Write a day, or a moment, the way the file holds times. Raises SettingsError."""
    try:
        if isinstance(day, str) and day != str(date.fromisoformat(day[:10])):
            day = datetime.fromisoformat(day)
        return as_text(_moment_of(day)) if isinstance(day, datetime) else str(day)
    except (ValueError, OverflowError):
        raise SettingsError(f"{day!r} is no day: write it like 2026-11-20.") from None


def _exact(pandas: Any, column: Sequence[Any]) -> Any:
    """Give a column of a data frame: what is missing makes no floats of whole numbers, however large."""
    if any(type(value) is int for value in column) and all(type(value) in (int, type(None)) for value in column):
        return pandas.array([pandas.NA if value is None else value for value in column], dtype="Int64")
    return pandas.Series(column, dtype=object).convert_dtypes()


@contextlib.contextmanager
def _needed(extra: str, package: str | None = None) -> Iterator[None]:
    """Say which extra brings a package that is missing."""
    try:
        yield
    except ImportError as error:
        package = package or extra
        raise ImportError(f"This needs {package}, which is not installed: {how_to_install(extra)}") from error
