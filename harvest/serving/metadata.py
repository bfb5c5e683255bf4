"""Tell datasette what it serves: descriptions, facets, labels, searches, named queries, source and terms. Pure.

In: the dictionary's entries, the named queries, and a few facts about the file. Out: the metadata that datasette reads.
Whatever comes from the service is escaped where it becomes HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from harvest.explore.named import Named
from harvest.serving.dictionary import Entry, plain
from harvest.terms import ATTRIBUTION, RESTRICTIONS, is_made_up

TERMS = "https://developers.soundcloud.com/docs/api/terms-of-use"
STYLE = "/-/harvest/style.css"  # behind the one word that no file is named by
# What a search from the home page shows of a track, out of thirty columns.
_SHOWN = ("title", "uploader_id", "genre", "likes_count", "playback_count", "created_at", "permalink_url")
# Tables of bookkeeping that nobody asks for, one click away.
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
_LABELS = {
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
# The order in which the home page offers them; what is not named follows.
_FIRST = (
    "search",
    "co-likes",
    "top-tracks",
    "top-artists",
    "top-tags",
    "likes-of",
    "fans-of",
    "similar-taste",
    "methods",
)


@dataclass(frozen=True, slots=True)
class About:
    """What the home page says of the file: its name, its seeds (title, address), its totals, the service it is from."""

    database: str
    seeds: tuple[tuple[str, str], ...]
    totals: Mapping[str, int]
    service: str
    empty: frozenset[str]


def metadata(about: About, entries: Mapping[str, Entry], queries: Mapping[str, Named]) -> dict[str, Any]:
    """Give datasette's metadata for one file."""
    return {
        "title": f"harvest: {about.database}",
        "description_html": _home(about, queries),
        "extra_css_urls": [STYLE],
        **_origin(about),
        "databases": {
            about.database: {
                "description_html": f"<p>{escape(_sentence(about))}</p>",
                "tables": {name: _table(name, entry, about) for name, entry in entries.items()},
                "queries": {query.name: _query(query) for query in _ordered(queries)},
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
    described: dict[str, Any] = {"description": entry.about, "columns": dict(entry.columns)}
    if name in _LABELS:
        described["label_column"] = _LABELS[name]
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
    takes = "".join(
        f"<li><strong>{escape(p.name)}</strong>: {escape(plain(p.meaning))}{_default(p.type, p.default)}</li>"
        for p in query.parameters
    )
    notes = "".join(f"<p>{escape(plain(part))}</p>" for part in query.notes.split("\n\n") if part)
    if takes or notes:
        described["description_html"] = (f"<ul>{takes}</ul>" if takes else "") + notes
    if query.parameters:
        described["params"] = [p.name for p in query.parameters]
    return described


def _default(kind: str, default: str | None) -> str:
    """Say what an empty field means."""
    if default is None:
        return ""
    which = f"{' or '.join(kind.split('|'))}; " if "|" in kind else "an id; " if kind in ("track", "user") else ""
    return f" <em>({escape(which)}left empty: {escape(default)})</em>"


def _home(about: About, queries: Mapping[str, Named]) -> str:
    base = f"/{tilde(about.database)}"
    asked = "".join(
        f'<li><a href="{base}/{tilde(query.name)}">{escape(query.question)}</a></li>' for query in _ordered(queries)
    )
    seeds = ", ".join(
        f'<a href="{escape(url)}">{escape(title)}</a>' if url.startswith("https://soundcloud.com/") else escape(title)
        for title, url in about.seeds
    )
    return (
        f"<p>{escape(_sentence(about))}{f' Around {seeds}.' if seeds else ''}</p>"
        + f'<form action="{base}/tracks" method="get" class="sql"><p><input type="search" name="_search"'
        ' placeholder="title, artist or tag" aria-label="Words in title, artist or tags" style="max-width: 20em">'
        ' <input type="submit" value="Search tracks">'
        + "".join(f'<input type="hidden" name="_col" value="{column}">' for column in _SHOWN)
        + "</p></form>"
        + f"<h3>Questions</h3><ul>{asked}</ul>"
        + f"<p>{escape(_terms(about))}</p>"
    )


def _terms(about: About) -> str:
    if is_made_up(about.service):
        return "All of this is invented; nothing of it is SoundCloud's."
    return f"{ATTRIBUTION} {RESTRICTIONS}"


def _sentence(about: About) -> str:
    told = ", ".join(f"{n:,} {name}" for name, n in about.totals.items() if n)
    return f"{told}." if told else "There is nothing in this file yet."


def _ordered(queries: Mapping[str, Named]) -> Iterable[Named]:
    return [queries[name] for name in (*(n for n in _FIRST if n in queries), *(n for n in queries if n not in _FIRST))]
