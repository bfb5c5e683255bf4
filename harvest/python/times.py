"""Ask a file about time: what has changed, and what stood on a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from harvest.errors import SettingsError
from harvest.explore import changes as told
from harvest.explore.changes import Change
from harvest.explore.named import named_query
from harvest.python.opened import Opened
from harvest.python.sequences import Rows, kinds_of
from harvest.python.typed_rows import Stood
from harvest.system.clock import as_text


class Times(Opened):
    """What a file tells of the past."""

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
        return self._asked(told.changes_sql(kind), wanted, make=lambda row: told.as_change(*row))

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
        return self._asked(query.body.rstrip(";"), wanted, make=Stood._make, kinds=kinds_of(Stood))


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
