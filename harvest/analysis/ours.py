"""Our own analyses, offered by the hook that plug-ins answer. What is computed alike is computed together, from one
reading of the likes.

In: what is wanted, the likes. Out: the tables, how many things had to be computed again. numpy and scipy are an extra:
what needs them is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from harvest.analysis import links
from harvest.analysis.methods import (
    ARTISTS,
    COMMUNITIES,
    FAN_FROM,
    FANS,
    LABEL,
    METHODS,
    NAMED,
    PLACES,
    RELATED,
    SIMILAR,
)
from harvest.plugins.hooks import Analysis

if TYPE_CHECKING:
    from sqlite_utils import Database

    from harvest.analysis.derive import Setting
    from harvest.analysis.kernel import Likes
    from harvest.analysis.likes import Library


@dataclass(slots=True)
class Work:
    """What is to be brought up to date, from which likes, and how; `computed` says how many things were computed again
    for each method (None: all, as always).
    """

    db: Database
    library: Library
    setting: Setting
    wanted: Sequence[str]
    resolution: float
    fresh: bool
    check_room: Callable[[str], None]  # raises where the graph of a method would not fit into memory
    computed: dict[str, int | None] = field(default_factory=dict)

    def of(self, methods: Sequence[str]) -> list[str]:
        """Give those of some methods that are wanted."""
        return [method for method in methods if method in self.wanted]


def analyses() -> dict[str, Analysis]:
    """Give our analyses by name, as `harvest.plugins.hooks.analyses` asks. Each is computed together with others: to
    `compute` goes the work, not a connection.
    """
    return {method: Analysis(_TABLES[method], _COMPUTE[method], _ABOUT[method]) for method in METHODS}


def _compared(methods: Sequence[str], likes: Callable[[Library, int], Likes], work: Work) -> None:
    """Compare the same things by several measures; one comparison in memory at a time."""
    from harvest.analysis.derive import derive

    group = work.of(methods)
    work.setting.told(group[0], 0.0)
    made = likes(work.library, work.setting.choices.min_common)
    work.computed.update(derive(work.db, group, made, work.setting, fresh=work.fresh))


def _tracks(library: Library, min_common: int) -> Likes:
    from harvest.analysis.likes import tracks_by_people

    return tracks_by_people(library, min_common)


def _people(library: Library, _: int) -> Likes:
    from harvest.analysis.likes import people_by_tracks

    return people_by_tracks(library)


def _artists(at_least: int, library: Library, min_common: int) -> Likes:
    from harvest.analysis.likes import artists_by_people

    return artists_by_people(library, min_common, at_least)


def _words(work: Work) -> None:
    """Compute what stands in titles and labels, where the file has grown."""
    db, setting, wanted = work.db, work.setting, work.of((*NAMED, LABEL))
    stale = [one for one in wanted if work.fresh or not links.is_current(db.conn, one, setting.max_page_id)]
    if set(stale) & set(NAMED):
        setting.told(NAMED[0], 0.0)
        links.link_by_titles(db, setting.max_page_id, setting.now, setting.told)
    if LABEL in stale:
        setting.told(LABEL, 0.0)
        links.link_by_labels(db, setting.max_page_id, setting.now)
    work.computed.update({method: None if method in stale else 0 for method in wanted})


def _communities(method: str, work: Work) -> None:
    from harvest.analysis.communities import find_communities

    work.check_room(method)
    work.computed[method] = find_communities(work.db, method, work.resolution, work.setting, fresh=work.fresh)


_TABLES = {
    **dict.fromkeys(RELATED, "related_tracks"),
    **dict.fromkeys(SIMILAR, "user_similarity"),
    **dict.fromkeys(ARTISTS, "artist_relationships"),
    **PLACES,
}
_COMPUTE: dict[str, Callable[..., object]] = {
    **dict.fromkeys(RELATED, partial(_compared, RELATED, _tracks)),
    **dict.fromkeys(SIMILAR, partial(_compared, SIMILAR, _people)),
    **{
        method: partial(_compared, (method,), partial(_artists, at_least))
        for method, at_least in zip(FANS, (1, FAN_FROM), strict=True)
    },
    **dict.fromkeys((*NAMED, LABEL), _words),
    **{method: partial(_communities, method) for method in COMMUNITIES},
}
_ABOUT = {
    **dict.fromkeys(RELATED, "tracks that the same people like"),
    **dict.fromkeys(SIMILAR, "people who like the same tracks"),
    FANS[0]: "artists whose tracks the same people like",
    FANS[1]: f"artists of whom the same people like {FAN_FROM} tracks or more",
    **dict.fromkeys(NAMED, "artists whom titles name together"),
    LABEL: "artists of one label",
    **dict.fromkeys(COMMUNITIES, "what is near each other, in groups"),
}
