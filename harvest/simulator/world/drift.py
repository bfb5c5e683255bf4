"""How fast a made-up SoundCloud changes. All rates are per day."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import isfinite

PRESETS = ("everything", "edges", "nothing")


@dataclass(frozen=True, slots=True)
class Drift:
    """What comes and goes in a day.

    `come` and `go` are shares of the edges: likes, reposts, follows, comments, liked stations, links. `people_go`,
    `tracks_go` and `playlists_go` are shares of what is there; with a person go their tracks, playlists, comments and
    edges. `return_share` of what goes comes back, after `away_days` on average. `uploads` is the share of tracks, and
    of playlists, that are new; `renames` the share of people, tracks and playlists that get another name; `edits` are
    entries added, taken out or moved, per playlist; `plays` is the growth of play counts.
    """

    come: float = 0.005
    go: float = 0.002
    people_go: float = 0.0005
    tracks_go: float = 0.0005
    playlists_go: float = 0.0005
    return_share: float = 0.5
    away_days: float = 7.0
    uploads: float = 0.001
    renames: float = 0.001
    edits: float = 0.02
    plays: float = 0.003

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (isfinite(value) and value >= 0):
                raise ValueError(f"{field.name} must be 0 or more")
        if self.return_share > 1 or self.away_days == 0:
            raise ValueError("return_share must lie between 0 and 1, and away_days above 0")

    @classmethod
    def nothing(cls) -> Drift:
        """Return the drift of a world that stands still."""
        still = ("come", "go", "people_go", "tracks_go", "playlists_go", "uploads", "renames", "edits", "plays")
        return cls(**dict.fromkeys(still, 0.0))

    @classmethod
    def edges(cls, come: float = 0.01, go: float | None = None) -> Drift:
        """Return a drift of edges alone: so many come in a day, and so many go, as many unless told."""
        return replace(cls.nothing(), come=come, go=come if go is None else go)

    @classmethod
    def parse(cls, text: str) -> Drift:
        """Read `everything`, `edges`, `nothing`, `edges=0.01`, and single rates behind: `edges,renames=0.1`.

        Raises ValueError with one clear line.
        """
        drift = cls()
        for place, part in enumerate(filter(None, (part.strip() for part in text.split(",")))):
            name, told, value = part.partition("=")
            try:
                rate = float(value) if told else None
            except ValueError:
                raise ValueError(f"{value!r} is no number") from None
            if name in PRESETS and place == 0 and (rate is None or name == "edges"):
                given = cls.edges() if rate is None else cls.edges(rate)
                drift = {"everything": cls(), "edges": given, "nothing": cls.nothing()}[name]
            elif rate is not None and name in cls.__slots__:
                drift = replace(drift, **{name: rate})
            else:
                names = ", ".join(cls.__slots__)
                raise ValueError(f"{part!r} is no rate: first {', '.join(PRESETS)}, then NAME=RATE of {names}")
        return drift
