"""Ask a file what the command line asks it: what is in it, what is near what, what people are like."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, NamedTuple, Unpack

from harvest.analysis.beside import Neighbours
from harvest.analysis.described import Described
from harvest.analysis.methods import COMMUNITIES, PLACES, RELATED, SIMILAR
from harvest.analysis.quality import quality
from harvest.analysis.radio import radio
from harvest.analysis.run import check_extra
from harvest.citing.cite import as_json
from harvest.citing.facts import facts
from harvest.crawler.request import to_refresh
from harvest.errors import SettingsError
from harvest.explore.named import named_query
from harvest.explore.parameters import bind_named
from harvest.forgetting.checks import FORGOTTEN_CHECKS
from harvest.inference.bias import Bias, biases
from harvest.inference.estimate import estimate
from harvest.inference.questions import LIKES, Question
from harvest.planning.refresh_cost import refresh_cost
from harvest.python.answers import (
    Beside,
    Citation,
    Communities,
    DescribedAlike,
    Estimated,
    ExpectedRefresh,
    FileStatus,
    RelatedTracks,
    SimilarPeople,
    Suggestions,
    Verified,
    Why,
)
from harvest.python.near import near_person, near_track
from harvest.python.opened import Opened, plain
from harvest.python.options import RefreshOptions, known
from harvest.python.sequences import Rows, kinds_of
from harvest.python.shown import Several, shown
from harvest.python.sources import Held
from harvest.store import provenance
from harvest.store.failures import COLUMNS, failed_lists
from harvest.store.judgments import liked as liked_tracks
from harvest.store.samples import Judged, coverages
from harvest.store.status import overview
from harvest.things import SHOWN
from harvest.verify.checks import verify


class BackboneEdge(NamedTuple):
    """An edge between two tracks or people, the lesser id first: how near they are, how many they have in common, the
    same corrected for how much each has, and how likely it would be by chance.
    """

    source_id: int
    target_id: int
    score: float
    common: int
    shared: float
    alpha: float


class Questions(Opened):
    """What a file answers."""

    def status(self) -> FileStatus:
        """Count what the file holds, and say where it stands, as `harvest status` does."""
        with self.connection() as connection:
            return shown(FileStatus, overview(connection))

    def failures(self, *, failure_class: str | None = None, resolved: bool = False) -> Rows[tuple[Any, ...]]:
        """Say what failed and why, a row per list and reason; with `resolved` also what was read after all."""
        with self.connection() as connection:
            found = list(failed_lists(connection, failure_class=failure_class, also_resolved=resolved))
        return Rows(Held(list(COLUMNS), [tuple(row) for row in found]), plain)

    def verify(self, *, forgotten: bool = False) -> Verified:
        """Check every claim of the file against its rows: `.sound` says whether all hold, `.wrong` which do not. With
        `forgotten` also that what was forgotten is gone.
        """
        with self.connection() as connection:
            return Verified(tuple(verify(connection, more=FORGOTTEN_CHECKS if forgotten else ())))

    def related(
        self, track: int | str, *, method: str = RELATED[0], frames: str | None = None, limit: int = 10
    ) -> RelatedTracks | Beside | DescribedAlike:
        """Say which tracks are near a track, by id, URN or address, as `harvest related` does: `.near`.

        Raises SeedError where it is not in the file, SettingsError for a method that there is not.
        """
        with self.connection() as connection:
            found = near_track(connection, str(track), method=method, limit=limit, framing=frames)
        if isinstance(found, Described):
            return shown(DescribedAlike, found)
        return shown(Beside, found) if isinstance(found, Neighbours) else shown(RelatedTracks, found)

    def similar(
        self, user: int | str, *, method: str = SIMILAR[0], frames: str | None = None, limit: int = 10
    ) -> SimilarPeople | Beside:
        """Say who is near a person, by id, URN or address, as `harvest similar` does: `.near`.

        Raises SeedError where they are not in the file, SettingsError for a method that there is not.
        """
        with self.connection() as connection:
            found = near_person(connection, str(user), method=method, limit=limit, framing=frames)
        return shown(Beside, found) if isinstance(found, Neighbours) else shown(SimilarPeople, found)

    def communities(self, of: str = "tracks", *, limit: int = 20) -> Communities:
        """Say which communities of 'tracks' or 'people' `analyze` has found: the largest with what they like, who is in
        which, and how good the division is. Raises SettingsError for anything else.
        """
        if of not in ("tracks", "people"):
            raise SettingsError(f"There are communities of tracks and of people, not of {of!r}.")
        method = COMMUNITIES[of == "people"]
        query, thing = named_query("communities"), "track" if of == "tracks" else "user"
        assert query is not None
        with self.connection() as connection:
            bound = bind_named(connection, query, [f"of={of}", f"limit={limit}"])
            how_good = quality(connection, method)
        members = f"SELECT {thing}_id, community FROM {PLACES[method]} WHERE method = ?"  # noqa: S608 - our own names
        return Communities(
            of,
            how_good,
            self._asked(query.body.rstrip(";"), bound, make=plain),
            self._asked(members, (method,), make=plain),
        )

    def would_refresh(self, **options: Unpack[RefreshOptions]) -> ExpectedRefresh:
        """Say what `harvest.refresh` would take, as far as the file knows: `.lookups` are requests that look counts up,
        `.requests` those for the `.lists` that are known to be due. Raises SettingsError.
        """
        return shown(ExpectedRefresh, refresh_cost(to_refresh(self.path, known(options, RefreshOptions))))

    def coverage(self) -> Several[Judged]:
        """Say of each seed that is a track how much of what the people around it like the sample has seen, or why there
        is no saying: `.coverage.new_share` is the share of the next person's likes that would be new.
        """
        with self.connection() as connection:
            return Several(coverages(connection))

    def cite(self) -> Citation:
        """Say how to cite the file and harvest: `text`, `data`, `bibtex`, and the sentences on `methods`."""
        with self.connection() as connection:
            return Citation(as_json(facts(connection)))

    def estimate(self, of: str = LIKES, **how: Any) -> Estimated:
        """Estimate a mean, shares (`by='genre'`) or a total (`total=True`) over all listed people from a random sample:
        `.answers` hold the estimates with their 95 % intervals, `.conditions` what they rest on. `per`, `estimator`,
        `capped`, `track_id`, `groups`, `rake` and `seed` are the options of `harvest estimate`.

        Raises SettingsError for a question that makes no sense, or that the file cannot answer, with the reason.
        """
        there = [field.name for field in fields(Question)]
        if unknown := sorted(set(how) - set(there)):
            raise SettingsError(f"There is no option {', '.join(unknown)}; there are {', '.join(there)}.")
        with self.connection() as connection:
            return shown(Estimated, estimate(connection, Question(of, **how)))

    def radio(self, *given: int | str, liked: bool = False, size: int = 20, per_artist: int = 1) -> Suggestions:
        """Say what to play after some tracks, or after what playlists hold, or what you have `liked`, from the file
        alone: `.tracks` are up to `size` of them, the nearest first, `per_artist` of an artist (0: any number), with
        the reasons.

        Raises SeedError where one is not in the file.
        """
        with self.connection() as connection:
            wanted = [*map(str, given), *(liked_tracks(connection) if liked else ())]
            return shown(Suggestions, radio(connection, wanted, size=size, per_artist=per_artist))

    def bias(self) -> Several[Bias]:
        """Say of each seed that is a track how those who were followed, and those who answered, differ from all
        people listed around it: `.compared` has the means and the differences in standard deviations.
        """
        with self.connection() as connection:
            return Several(biases(connection))

    def backbone(
        self, of: str = "tracks", *, method: str = "disparity", level: float | None = 0.05
    ) -> Rows[BackboneEdge]:
        """Give the edges between tracks, or people, that are more than chance would give, each once, as `harvest
        backbone` does: those whose `alpha` is below `level`, None for all. `method` says what chance is: 'disparity',
        or 'sdsm'. Of what `analyze` found.

        Raises SettingsError for anything else, or where nothing was analysed. Needs the extra `analysis`.
        """
        check_extra()
        from harvest.analysis.projections import edges

        with self.connection() as connection:
            held = Held(list(BackboneEdge._fields), list(edges(connection, of, method=method, level=level)))
        return Rows(held, BackboneEdge._make, kinds_of(BackboneEdge))

    def why(self, thing: str, which: int | str, *, limit: int = 3) -> Why:
        """Tell why a 'user', a 'track', a 'playlist' or a 'station' is in the file. Raises SeedError, SettingsError."""
        there = [one.name for one in SHOWN]
        if thing not in there:
            raise SettingsError(f"why one of {', '.join(there)}, not {thing!r}")
        with self.connection() as connection:
            return shown(Why, provenance.why(connection, thing, str(which), limit=limit))
