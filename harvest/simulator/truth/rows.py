"""Turn what the service shows of a thing into the columns of its row, and bring sightings together. Pure.

A zero count in an embedded user is unknown, and so is empty text. Nothing known is lost to a poorer sighting.
"""

from __future__ import annotations

from typing import Any

from harvest.simulator.service.objects import Json

Row = dict[str, Any]

_COUNTS = {
    "followers_count": "followers_count",
    "followings_count": "followings_count",
    "track_count": "track_count",
    "playlist_count": "playlist_count",
    "likes_given_count": "public_favorites_count",
    "reposts_given_count": "reposts_count",
}
_STATS = {
    "playback_count": "playback_count",
    "likes_count": "favoritings_count",
    "reposts_count": "reposts_count",
    "comment_count": "comment_count",
    "download_count": "download_count",
}
_TEXTS = (
    "title",
    "genre",
    "label_name",
    "isrc",
    "key_signature",
    "metadata_artist",
    "license",
    "description",
    "artwork_url",
    "access",
    "sharing",
    "release",
    "purchase_url",
    "purchase_title",
    "waveform_url",
)
_PLAYLIST_TEXTS = ("title", "playlist_type", "genre", "label_name", "sharing", "artwork_url", "description")
_RICHNESS = {"embedded": 0, "list": 1, "full": 2}


def number(urn: str) -> int:
    """Return the number at the end of a URN."""
    return int(urn.rsplit(":", 1)[-1])


def iso(stamp: str | None) -> str | None:
    """Turn the service's time, 2026/08/07 14:18:05 +0000, into 2026-08-07T14:18:05Z."""
    return f"{stamp[:10].replace('/', '-')}T{stamp[11:19]}Z" if stamp else None


def merged(known: Row, sight: Row) -> Row:
    """Return the richer of two sightings, its gaps filled from the poorer one."""
    poor, rich = sorted((sight, known), key=lambda row: _RICHNESS[row["seen_as"]])
    return {name: poor[name] if value is None else value for name, value in rich.items()}


def user_row(sight: Json, seen_as: str) -> Row:
    """Return the columns of a user from one sighting."""
    embedded = seen_as == "embedded"
    counts = {column: sight.get(name) for column, name in _COUNTS.items()}
    return {
        "username": sight["username"] or None,
        "permalink_url": _page(sight["permalink_url"]),
        "avatar_url": sight["avatar_url"] or None,
        "station_urn": sight.get("station_urn"),
        "created_at": iso(sight.get("created_at")),
        **{column: count or None if embedded else count for column, count in counts.items()},
        "seen_as": seen_as,
    }


def track_row(sight: Json, seen_as: str) -> Row:
    """Return the columns of a track from one sighting; its place in a list of uploads is not known by that."""
    codes = sight["available_country_codes"]
    return {
        "uploader_id": number(sight["user"]["urn"]) if sight["user"] else None,
        "permalink_url": _page(sight["permalink_url"]),
        "created_at": iso(sight["created_at"]),
        "duration_ms": sight["duration"],
        "bpm": sight["bpm"],
        "release_date": release_date(sight),
        "station_urn": sight.get("station_urn"),
        "available_country_codes": ",".join(filter(None, codes)) if isinstance(codes, list) else codes or None,
        "downloadable": sight["downloadable"],
        "reveal_stats": sight["reveal_stats"],
        **{name: sight[name] or None for name in _TEXTS},
        **{column: sight.get(name) for column, name in _STATS.items()},
        "seen_as": seen_as,
        "uploader_list_rank": None,
    }


def playlist_row(sight: Json) -> Row:
    """Return the columns of a playlist; its place among its owner's is not known by that."""
    return {
        "owner_id": number(sight["user"]["urn"]),
        "permalink_url": _page(sight["permalink_url"]),
        "created_at": iso(sight["created_at"]),
        "track_count": sight["track_count"],
        "likes_count": sight["likes_count"],
        "duration_ms": sight["duration"],
        **{name: sight[name] or None for name in _PLAYLIST_TEXTS},
        "owner_list_rank": None,
    }


def station_row(sight: Json) -> Row:
    """Return the columns of a station."""
    return {
        "urn": sight["urn"],
        "permalink_url": _page(sight["permalink_url"]),
        "updated_at": iso(sight["last_updated"]),
        "track_count": sight["track_count"],
        "likes_count": sight["likes_count"],
        **{name: sight[name] or None for name in ("title", "description", "artwork_url")},
    }


def comment_row(sight: Json) -> Row:
    """Return the columns of a comment; its place in the track's list is not known by that."""
    return {
        "track_id": number(sight["track_urn"]),
        "user_id": number(sight["user_urn"]),
        "created_at": iso(sight["created_at"]),
        "timestamp_ms": None if sight["timestamp"] is None else int(sight["timestamp"]),
        "body": sight["body"] or None,
        "track_list_rank": None,
    }


def link_row(sight: Json) -> Row:
    """Return the columns of a link; its place among the user's is not known by that."""
    return {
        "user_id": number(sight["urn"]),
        "created_at": iso(sight["created_at"]),
        **{name: sight[name] or None for name in ("url", "service", "title", "username")},
        "user_list_rank": None,
    }


def release_date(sight: Json) -> str | None:
    """Return the release date as far as it is known: year, year and month, or the whole day."""
    parts = []
    for name, width in (("release_year", 4), ("release_month", 2), ("release_day", 2)):
        if sight[name] is None:
            break
        parts.append(f"{sight[name]:0{width}d}")
    return "-".join(parts) or None


def _page(url: str) -> str:
    return url.split("?")[0]
