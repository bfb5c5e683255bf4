"""Do something with a file: judge its tracks, write what leaves it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harvest.analysis.radio import Suggested
from harvest.errors import SettingsError
from harvest.export.playlists import write
from harvest.python.opened import Opened
from harvest.store.handouts import remember
from harvest.store.judgments import TAKEN_BACK, VERDICTS, Judgment, judge
from harvest.system.clock import SystemClock, as_text


class Acts(Opened):
    """What is done with a file."""

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
