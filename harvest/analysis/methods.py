"""What can be computed, by name, and the numbers that bound it. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

RELATED = ("colike_cosine", "colike_jaccard", "colike_npmi", "colike_lift")  # fill related_tracks
SIMILAR = ("taste_cosine", "taste_jaccard")  # fill user_similarity
FANS = ("coliked", "shared_fans")  # these and the next fill artist_relationships
NAMED = ("featuring", "remix", "together")
LABEL = "label"
ARTISTS = (*FANS, *NAMED, LABEL)
COMMUNITIES = ("leiden_tracks", "leiden_people")  # fill track_communities and user_communities
PLACES = dict(zip(COMMUNITIES, ("track_communities", "user_communities"), strict=True))
SOURCES = dict(zip(COMMUNITIES, (RELATED[0], SIMILAR[0]), strict=True))  # the pairs they are found among
METHODS = (*RELATED, *SIMILAR, *ARTISTS, *COMMUNITIES)
# Each further measure of tracks or people takes as much room in the file again, and says much the same.
USUAL = (RELATED[0], SIMILAR[0], *ARTISTS, *COMMUNITIES)

MEASURES = dict.fromkeys(FANS, "cosine") | {method: method.split("_")[1] for method in (*RELATED, *SIMILAR)}
AGAINST_ALL = ("npmi", "lift")  # measures that every additional person changes

# Which tracks are left out because people were chosen for liking them: where that affects a person's chance to be
# here, the seeds among them, every one of them, or none.
FRAMINGS = ("auto", "seeds", "all", "none")

FAN_FROM = 2  # tracks of an artist that make a fan
LABEL_ARTISTS = 100  # a label with more says nothing about any two of them


@dataclass(frozen=True, slots=True)
class Choices:
    """What the result depends on, beside the file.

    `neighbours` are kept of each track, person and artist; `min_common` is the least that two must have in common;
    of each person the `newest` likes count; `include_incomplete` takes lists that were cut or broke off as well;
    `frames`, one of FRAMINGS, says which tracks are taken for frames.
    """

    neighbours: int = 50
    min_common: int = 3
    newest: int = 1000
    include_incomplete: bool = False
    frames: str = "auto"

    def as_text(self) -> str:
        """Give it as JSON, the same for the same choices."""
        return json.dumps(asdict(self), sort_keys=True)


def choices_from(text: str) -> Choices:
    """Read what `as_text` wrote."""
    return Choices(**json.loads(text))
