"""Do something with a file: judge its tracks, analyse it, write what leaves it, take out what shall not stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Unpack

from harvest.analysis.methods import Choices
from harvest.analysis.plugged import analyses
from harvest.analysis.radio import Suggested
from harvest.analysis.related import Near
from harvest.analysis.run import analyse, check_extra
from harvest.errors import SettingsError
from harvest.explorer.asked import LEAST, MOST, USUAL, Asked
from harvest.export.choices import choices_of
from harvest.export.exporter import export as export_into
from harvest.export.playlists import tracks_of, write
from harvest.forgetting import doomed
from harvest.forgetting.forget import forget_for_good, would_go
from harvest.forgetting.purge import purge as purge_file
from harvest.python.answers import (
    Analysed,
    ForgottenThings,
    JudgedTracks,
    PurgedThings,
    Snapshot,
    WrittenFolder,
    WrittenPage,
)
from harvest.python.opened import Opened
from harvest.python.options import ExportOptions, TableOptions, known
from harvest.python.sequences import Rows
from harvest.python.shown import shown
from harvest.python.tables import Tables
from harvest.replies.files import kept_of
from harvest.sharing.dehydrate import hand_over
from harvest.store.database import storage_errors
from harvest.store.handouts import remember
from harvest.store.judgments import TAKEN_BACK, VERDICTS, judge
from harvest.store.snapshot import take_snapshot
from harvest.system.clock import SystemClock, as_text
from harvest.system.lengths import parse_length
from harvest.system.logs import configure_unless_done


class Acts(Opened):
    """What is done with a file."""

    def judge(self, wanted: int | str | Iterable[int | str], verdict: str) -> JudgedTracks:
        """Say what you think of a track, of the tracks of a playlist, or of several: 'liked', 'not_interested',
        'not_quite', or 'none', which takes a verdict back. Says of how many tracks it was, and how many were told so
        before; `verdicts` are those that count.

        Raises SeedError where one is not in the file, SettingsError for another verdict.
        """
        if verdict not in (*VERDICTS, TAKEN_BACK):
            raise SettingsError(f"There is no verdict {verdict!r}; there are {', '.join((*VERDICTS, TAKEN_BACK))}.")
        several = [wanted] if isinstance(wanted, int | str) else wanted
        return shown(JudgedTracks, judge(self.path, [str(one) for one in several], verdict, now=SystemClock().now()))

    def analyze(
        self,
        *methods: str,
        neighbours: int = 50,
        min_common: int = 3,
        newest: int = 1000,
        resolution: float = 1.0,
        include_incomplete: bool = False,
        frames: str = "auto",
        memory: int = 512,
        fresh: bool = False,
        progress: Callable[[str, float], object] | None = None,
    ) -> Analysed:
        """Find out which tracks, people and artists belong together, as `harvest analyze` does, and keep that in the
        file.

        `memory` is in MB; `progress` hears a method and how much of it is done, 0 to 1. Raises SettingsError,
        StoreError. Interrupted, the next one goes on.
        """
        configure_unless_done()
        every = tuple(analyses())
        there = [*every, "all"]
        if wrong := [one for one in methods if one not in there]:
            raise SettingsError(f"There is no method {wrong[0]!r}; there are {', '.join(there)}.")
        heard = progress or (lambda method, share: None)
        return shown(
            Analysed,
            analyse(
                self.path,
                every if "all" in methods else methods,
                Choices(neighbours, min_common, newest, include_incomplete, frames),
                clock=SystemClock(),
                memory_mb=memory,
                fresh=fresh,
                resolution=resolution,
                told=lambda method, share: _tell(heard, method, share),
            ),
        )

    def tables(self, *, key: Path | str | None = None, **options: Unpack[TableOptions]) -> Tables:
        """Give the tables that `export` would write, without writing them: `users` and `interactions` with the weights
        people were drawn with, `items`, `follows`, and with `lists=True` what every other list holds.

        Raises SettingsError where the choices make no sense or leave nothing.
        """
        return Tables(self.path, choices_of(known(options, TableOptions)), Path(key) if key is not None else None)

    def export(
        self,
        folder: Path | str,
        *,
        key: Path | str | None = None,
        force: bool = False,
        progress: Callable[[str, int, int | None], object] | None = None,
        **options: Unpack[ExportOptions],
    ) -> WrittenFolder:
        """Write the graph into a folder, as `harvest export` does: `.files` are what was written, `.manifest` says what
        is in it. Raises SettingsError, StoreError.
        """
        heard, now = progress or (lambda what, done, total: None), SystemClock().now()
        made = export_into(
            self.path,
            Path(folder),
            choices_of(known(options, ExportOptions)),
            now=as_text(now),
            tell=lambda what, done, total: _tell(heard, what, done, total),
            key_file=Path(key) if key is not None else None,
            force=force,
        )
        remember(self.path, "export", Path(folder), now=now, manifest=Path(folder) / "manifest.json")
        return WrittenFolder(Path(folder), made)

    def dehydrate(self, out: Path | str, *, ids: str = "pseudonym", key: Path | str | None = None) -> WrittenFolder:
        """Write ids, ranks, weights and the ledger into a folder, and no content, as `harvest dehydrate` does.

        Raises SettingsError, StoreError.
        """
        made = hand_over(self.path, Path(out), ids=ids, key_file=Path(key) if key is not None else None)
        return WrittenFolder(Path(out), made.manifest)

    def report(self, out: Path | str | None = None, *, force: bool = False) -> WrittenPage:
        """Write one HTML page about the file, as `harvest report` does, beside it unless `out` says where.

        Raises StorageFailed where that cannot be, or would overwrite anything but an earlier report.
        """
        from harvest.report.facts import gather
        from harvest.report.page import page
        from harvest.report.writing import check_target, usual_place
        from harvest.report.writing import write as write_page

        target = Path(out) if out is not None else usual_place(self.path)
        check_target(target, self.path, force=force)
        with self.connection() as connection:
            facts = gather(connection, self.path.name)
        write_page(page(facts), target)
        remember(self.path, "report", target, now=SystemClock().now())
        return WrittenPage(target)

    def explore(
        self,
        out: Path | str | None = None,
        *,
        tracks: int = USUAL,
        people: bool = False,
        frames: str | None = None,
        include_incomplete: bool = False,
        force: bool = False,
    ) -> WrittenPage:
        """Write one page to pan, search and click through, as `harvest explore` does, beside the file unless `out` says
        where. Raises SettingsError where there is nothing to show, StorageFailed. Needs the extra `analysis`.
        """
        check_extra("explore")
        from harvest.explorer.page import KIND
        from harvest.explorer.page import write as write_page
        from harvest.report.writing import check_target, usual_place

        if not LEAST <= tracks <= MOST:
            raise SettingsError(f"tracks is a number from {LEAST} to {MOST:,}, not {tracks}.")
        target = Path(out) if out is not None else usual_place(self.path, KIND)
        check_target(target, self.path, force=force, kind=KIND)
        with self.connection() as connection:
            write_page(connection, self.path.name, target, Asked(tracks, people, frames, include_incomplete))
        remember(self.path, "page", target, now=SystemClock().now())
        return WrittenPage(target)

    def snapshot(self, out: Path | str, *, force: bool = False) -> Snapshot:
        """Copy the file as it is at one moment, also while it is being crawled. Raises StoreError."""
        now = SystemClock().now()
        made = take_snapshot(self.path, Path(out), now=now, force=force)
        remember(self.path, "snapshot", Path(out), now=now)
        if made.replies_size is not None:
            remember(self.path, "snapshot", kept_of(Path(out)), now=now)
        return shown(Snapshot, made)

    def save_playlist(
        self, out: Path | str, tracks: Iterable[int | Near | Suggested] | Rows[Any], *, title: str = "harvest"
    ) -> int:
        """Save tracks as a list: by id, as `related` and `radio` give them, or as rows of `sql` with a column
        `track_id` or `urn`. `out` ends in .m3u, .jspf or .csv. Gives how many, and notes in the file that it was
        made. Raises QueryError where rows have no such column, SettingsError, StorageFailed.
        """
        if isinstance(tracks, Rows):
            ids = tracks_of(tracks.columns, tracks)
        else:
            ids = (one if isinstance(one, int) else one.track_id for one in tracks)
        now = SystemClock().now()
        with self.connection() as connection:
            n = write(connection, ids, Path(out), title=title, now=as_text(now))
        remember(self.path, "playlist", Path(out), now=now)
        return n

    def would_forget(self, *things: int | str) -> dict[str, int]:
        """Count the rows that `forget` would take out, by table. Raises SeedError where one is not in the file."""
        with self.connection() as connection:
            wanted = [doomed.find(connection, str(one)) for one in things]
            connection.execute("PRAGMA query_only = OFF")  # what would go is written down in a temporary table
            return would_go(connection, wanted)

    def forget(self, *things: int | str) -> ForgottenThings:
        """Forget people, tracks and playlists for good, by URN, address or id, as `harvest forget` does, and look for
        what is left of them. It cannot be undone and asks for no confirmation; `would_forget` says what would go.

        Raises SeedError where one is not in the file, StoreError.
        """
        configure_unless_done()
        with self.connection() as connection:
            wanted = list(dict.fromkeys(doomed.find(connection, str(one)) for one in things))
        if not wanted:
            raise SettingsError("Say who or what is to be forgotten: a URN, the address of a page, an id.")
        return shown(ForgottenThings, forget_for_good(self.path, wanted, now=SystemClock().now()))

    def purge(self, older_than: float | str | None = None, *, everything: bool = False) -> PurgedThings:
        """Take out what the service has not shown for so many seconds, or a length of time as '30d'; or everything.

        It cannot be undone and asks for no confirmation. Raises SettingsError, StoreError.
        """
        configure_unless_done()
        if (older_than is None) != everything:
            raise SettingsError("Say how old: older_than='30d', or everything=True.")
        try:
            age = parse_length(older_than) if isinstance(older_than, str) else older_than
        except ValueError as error:
            raise SettingsError(f"older_than: {error}.") from None
        with storage_errors(self.path):
            return shown(PurgedThings, purge_file(self.path, age, now=SystemClock().now()))


def _tell(heard: Callable[..., object], *what: object) -> None:
    heard(*what)
