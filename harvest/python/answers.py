"""What questions to a file, and acts on it, give: what the commands of the same names tell, as objects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from harvest.analysis.beside import Neighbours
from harvest.analysis.described import Described
from harvest.analysis.quality import Quality
from harvest.analysis.radio import Radio
from harvest.analysis.related import Related
from harvest.analysis.run import Analysis
from harvest.analysis.similar import Similar
from harvest.forgetting.comply import Emptied
from harvest.forgetting.forget import Forgotten
from harvest.forgetting.purge import Purged
from harvest.inference.questions import Result
from harvest.planning.planned import Planned
from harvest.planning.refresh_cost import RefreshCost
from harvest.python import html
from harvest.python.opened import plain
from harvest.python.sequences import Rows
from harvest.python.shown import Shown
from harvest.python.sources import Held
from harvest.store.judgments import Judgment
from harvest.store.provenance import Reason
from harvest.store.refreshes import Found
from harvest.store.snapshot import Copied
from harvest.store.status import Overview
from harvest.verify.checks import Finding


class RelatedTracks(Shown, Related):
    """Tracks that the same people like: `.near` are the nearest, `.reason` says why there are none."""

    _listed = "near"


class Beside(Shown, Neighbours):
    """Tracks or people that stand together in what else was read: `.near`, the nearest first."""

    _listed = "near"


class DescribedAlike(Shown, Described):
    """Tracks of the same artist, label, genre and tags: `.near`, the nearest first."""

    _listed = "near"

    @property
    def reason(self) -> str | None:
        """Say why there are none, if there are none."""
        return None if self.near else "No other track in the file shares its artist, label, genre or a tag."


class SimilarPeople(Shown, Similar):
    """People who like the same tracks: `.near`, the nearest first."""

    _listed = "near"


class Suggestions(Shown, Radio):
    """What to play: `.tracks`, the nearest first."""

    _listed = "tracks"


class Estimated(Shown, Result):
    """Estimates with their intervals in `.answers`, and in `.conditions` what they rest on."""

    _listed = "answers"


class PlannedCrawl(Shown, Planned):
    """What a crawl would cost: `.plan.requests`, `.seconds`, `.rows`, `.size_bytes`, each with low, likely, high."""

    @property
    def table(self) -> Rows[tuple[Any, ...]]:
        """A row for each number, which lies between low and high nine times in ten."""
        made = self.plan
        numbers = {"requests": made.requests, "seconds": made.seconds, **made.rows, "bytes": made.size_bytes}
        rows = [(name, *(round(n) for n in (one.low, one.likely, one.high))) for name, one in numbers.items()]
        return Rows(Held(["what", "low", "likely", "high"], rows), plain)

    def _repr_html_(self) -> str:
        return self.table._repr_html_() + "".join(html.facts({"would cut it short": bite}) for bite in self.plan.bites)


class Refreshed(Shown, Found):
    """What reading again has found."""

    @property
    def table(self) -> Rows[tuple[Any, ...]]:
        """How many changes of which kind."""
        return Rows(Held(["what", "changes"], list(self.changes.items())), plain)


class EmptiedThings(Shown, Emptied):
    """What the service shows no more, by table, and is empty now."""

    @property
    def table(self) -> Rows[tuple[Any, ...]]:
        """How many of which table."""
        return Rows(Held(["table", "emptied"], list(self.things.items())), plain)


class ExpectedRefresh(Shown, RefreshCost):
    """What a refresh would take, as far as the file knows."""


class Analysed(Shown, Analysis):
    """What an analysis used, and in `.methods` what it made."""

    _listed = "methods"


class FileStatus(Shown, Overview):
    """What the file holds, and where it stands."""

    def _repr_html_(self) -> str:
        return html.facts(self.told_rows, "rows in the file")


class Why(Shown, Reason):
    """Why something is in the file: `.because`, each with its chain up to a seed."""

    _listed = "because"


class JudgedTracks(Shown, Judgment):
    """Of how many tracks a verdict was, and how many were told otherwise before."""


class Snapshot(Shown, Copied):
    """A copy of the file that was made."""


class ForgottenThings(Shown, Forgotten):
    """What was forgotten, and whether anything is left of it."""


class PurgedThings(Shown, Purged):
    """What was purged."""


@dataclass(frozen=True, slots=True)
class Verified(Shown):
    """What `verify` found: a finding for each claim; those with contradictions are `wrong`."""

    findings: tuple[Finding, ...]
    _listed: ClassVar[str] = "findings"

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """The claims that do not hold."""
        return tuple(one for one in self.findings if one.contradictions)

    @property
    def sound(self) -> bool:
        """Whether all of them hold."""
        return not self.wrong


@dataclass(frozen=True, slots=True)
class Communities(Shown):
    """Communities of tracks or people, the largest first: what each likes, who is in which (`members`: id, community),
    and how good the division is; None, and no rows, where `analyze` has found none yet.
    """

    of: str
    quality: Quality | None
    listed: Rows[tuple[Any, ...]]
    members: Rows[tuple[Any, ...]]

    @property
    def reason(self) -> str | None:
        """Say why there are none, if there are none."""
        return "No communities were looked for yet: analyze() does it." if self.quality is None else None

    @property
    def table(self) -> Rows[tuple[Any, ...]]:
        """A row for each of the largest."""
        return self.listed

    def _repr_html_(self) -> str:
        return html.facts({"reason": self.reason}) if self.reason else self.listed._repr_html_()


@dataclass(frozen=True, slots=True)
class WrittenFolder(Shown):
    """A folder that was written, and what its manifest says."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def files(self) -> list[dict[str, Any]]:
        """The files in it: path, rows, columns, bytes, hash."""
        return list(self.manifest["files"])

    @property
    def left_out(self) -> list[str]:
        """What stays behind, in sentences."""
        return list(self.manifest.get("left_out", ()))

    def _repr_html_(self) -> str:
        rows = ((one["path"], one.get("rows"), one.get("bytes")) for one in self.files)
        return html.table(["file", "rows", "bytes"], rows, str(self.folder))


class Citation(dict[str, Any]):
    """How to cite the file and harvest: `text`, `data`, `bibtex`, and the sentences on `methods`."""

    def __str__(self) -> str:
        return "\n\n".join([self["text"], self["data"], " ".join(self["methods"])])

    def _repr_html_(self) -> str:
        return html.facts({"tool": self["text"], "data": self["data"], "methods": " ".join(self["methods"])})


@dataclass(frozen=True, slots=True)
class WrittenPage(Shown):
    """A page that was written: a path, wherever one is taken."""

    path: Path

    def __fspath__(self) -> str:
        return str(self.path)
