"""Tell datasette what it serves: descriptions, facets, labels, searches, named queries, source and terms. Pure.

In: the dictionary's entries, the named queries, and a few facts about the file. Out: the metadata that datasette reads.
Whatever comes from the service is escaped where it becomes HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harvest.explore.named import Named
from harvest.serving.dictionary import Entry, plain
from harvest.terms import ATTRIBUTION, RESTRICTIONS, TERMS, is_made_up

# Tables of bookkeeping that readers rarely want, one click away.
_HIDDEN = (
    "_sqlite_migrations",
    "lease",
    "progress",
    "reading_items",
    "search_waiting",
    "totals",
    "derivation_inputs",
    "derivation_sizes",
)
_AS_THEY_ARE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
LABELS = {
    "users": "username",
    "tracks": "title",
    "playlists": "title",
    "tags": "name",
    "seeds": "address",
    "harvests": "seed_url",
    "things": "title",
    "outcomes": "title",
    "list_kinds": "title",
    "tasks": "kind",
    "runs": "started_at",
    "pages": "fetched_at",
    "derivations": "method",
}
# Only what can be counted quickly in a file of millions of likes: never a table of likes itself.
_FACETS = {
    "tracks": ["genre", "access"],
    "users": ["seen_as", "status"],
    "tasks": ["kind", "outcome"],
    "readings": ["kind", "outcome"],
    "visits": ["thing", "depth"],
    "failures": ["class", "status", "retryable"],
    "lists": ["kind", "outcome"],
    "sample": ["answer", "chosen", "censored"],
    "playlists": ["playlist_type"],
}
_NEWEST_OR_MOST_FIRST = {
    "tracks": "likes_count",
    "users": "followers_count",
    "playlists": "likes_count",
    "runs": "id",
    "pages": "id",
    "failures": "last_at",
}
# What of a table matters first, where it has many columns; the others are one click away.
FIRST_COLUMNS = {
    "tracks": ("id", "title", "uploader_id", "genre", "likes_count", "playback_count", "created_at"),
    "users": ("id", "username", "followers_count", "track_count", "likes_given_count", "status"),
    "playlists": ("id", "title", "owner_id", "track_count", "likes_count", "playlist_type"),
    "stations": ("id", "title", "station_type"),
    "user_engagements": ("user_id", "track_id", "engagement_type", "user_list_rank", "track_list_rank"),
    "tasks": ("id", "kind", "subject_id", "outcome", "claimed", "collected"),
    "pages": ("id", "task_id", "number", "fetched_at", "request", "received", "kept"),
    "failures": ("id", "task_id", "class", "status", "message", "last_at", "resolved_at"),
    "harvests": ("id", "seed_url", "seed_kind", "seed_id", "state", "reason", "started_at", "finished_at"),
    "lists": ("kind", "subject_id", "outcome", "claimed", "collected"),
}
# Named queries by what they are about, in the order in which pages offer them; what is not named follows.
_TOPICS = {
    "Tracks": (
        "search",
        "co-likes",
        "near-several",
        "hidden-gems",
        "rising",
        "top-tracks",
        "fans-of",
        "newest-fans",
        "bridges",
        "commented",
        "track-history",
        "mirror",
        "communities",
        "remixes-of",
        "duplicates",
        "set-of",
    ),
    "People and artists": (
        "likes-of",
        "taste-of",
        "similar-taste",
        "shared-likes",
        "taste-overlap",
        "top-artists",
        "shared-fans",
        "uploads-of",
        "follows-of",
        "links",
    ),
    "Tags, genres, playlists": ("top-tags", "top-genres", "tag-pairs", "playlists-with", "playlists-around"),
    "The crawl": ("not-whole", "growth-by-day", "methods", "as-of", "found"),
}
_OTHER = "For models, and the rest"


@dataclass(frozen=True, slots=True)
class About:
    """What datasette is told of the file: its name, the service it is from, and which of its tables are empty."""

    database: str
    service: str
    empty: frozenset[str]


def metadata(about: About, entries: Mapping[str, Entry], queries: Mapping[str, Named]) -> dict[str, Any]:
    """Give datasette's metadata for one file."""
    return {
        "title": f"harvest: {about.database}",
        **_origin(about),
        "databases": {
            about.database: {
                "tables": {name: _table(name, entry, about) for name, entry in entries.items()},
                "queries": {query.name: _query(query) for query in queries.values()},
            }
        },
    }


def tilde(name: str) -> str:
    """Write a name for an address as datasette does: whatever means something there becomes ~ and its bytes in hex."""
    return "".join(
        chr(byte) if byte in _AS_THEY_ARE else "+" if byte == 32 else f"~{byte:02X}" for byte in name.encode()
    )


def _origin(about: About) -> dict[str, str]:
    """Name source and terms; they stand at the foot of every page."""
    if is_made_up(about.service):
        return {"source": "a simulated SoundCloud, which invents it"}
    return {
        "source": "SoundCloud",
        "source_url": "https://soundcloud.com",
        "license": "SoundCloud's API terms of use",
        "license_url": TERMS,
    }


def _table(name: str, entry: Entry, about: About) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": plain(entry.about),
        "columns": {name: plain(meaning) for name, meaning in entry.columns.items()},
    }
    if name in LABELS:
        described["label_column"] = LABELS[name]
    if name in _FACETS:
        described["facets"] = _FACETS[name]
    if name in _NEWEST_OR_MOST_FIRST:
        described["sort_desc"] = _NEWEST_OR_MOST_FIRST[name]
    if name == "tracks":
        described |= {"fts_table": "track_search", "fts_pk": "id"}
    if name in _HIDDEN or name in about.empty:
        described["hidden"] = True
    return described


def _query(query: Named) -> dict[str, Any]:
    described: dict[str, Any] = {"title": query.question, "sql": query.body, "hide_sql": True}
    if query.parameters:
        described["params"] = [p.name for p in query.parameters]
    return described


def terms(about: About) -> str:
    """Say whose data these are, and what may be done with them."""
    if is_made_up(about.service):
        return "All of this is invented; nothing of it is SoundCloud's."
    return f"{ATTRIBUTION} {RESTRICTIONS}"


def by_topic(queries: Mapping[str, Named]) -> list[tuple[str, list[Named]]]:
    """Sort the named queries into what they are about, each once."""
    sorted_out = {name for names in _TOPICS.values() for name in names}
    other = [name for name in queries if name not in sorted_out]
    topics = [*_TOPICS.items(), (_OTHER, other)]
    found = [(topic, [queries[name] for name in names if name in queries]) for topic, names in topics]
    return [(topic, asked) for topic, asked in found if asked]


def title(table: str) -> str:
    """Call a table by its name in words."""
    return table.strip("_").replace("_", " ").capitalize()
