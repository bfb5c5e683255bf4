"""Ask a file what the command line asks it: what stands in it, what is near what, what everybody is like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from harvest.analysis.radio import Radio, radio
from harvest.analysis.run import check_extra
from harvest.citing.cite import as_json
from harvest.citing.facts import facts
from harvest.errors import SettingsError
from harvest.inference.bias import Bias, biases
from harvest.inference.estimate import estimate
from harvest.inference.questions import LIKES, Question, Result
from harvest.python.opened import Opened
from harvest.store import provenance
from harvest.store.samples import Judged, coverages
from harvest.store.status import Overview, overview
from harvest.things import SHOWN


class Questions(Opened):
    """What a file answers."""

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
