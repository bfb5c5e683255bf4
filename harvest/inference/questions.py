"""What can be estimated: of what people like, and of people. One declaration each. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OfTracks:
    """A number that liked tracks have, as a column of `tracks t`; NULL where it is not known."""

    sql: str
    words: str


@dataclass(frozen=True, slots=True)
class OfPeople:
    """A count that stands on everybody's profile, a column of `users`."""

    column: str
    words: str


LIKES = "likes"
OF_TRACKS = {
    "plays": OfTracks("t.playback_count", "plays of a liked track"),
    "track-likes": OfTracks("t.likes_count", "likes of a liked track, by SoundCloud's own count"),
    "seconds": OfTracks("t.duration_ms / 1000.0", "length of a liked track in seconds"),
    "bpm": OfTracks("t.bpm", "tempo of a liked track in beats a minute"),
    "year": OfTracks("CAST(substr(t.created_at, 1, 4) AS INTEGER)", "year in which a liked track was uploaded"),
}
OF_PEOPLE = {
    "followers": OfPeople("followers_count", "followers"),
    "followings": OfPeople("followings_count", "people followed"),
    "uploads": OfPeople("track_count", "tracks uploaded"),
    "playlists": OfPeople("playlist_count", "playlists"),
    "likes-claimed": OfPeople("likes_given_count", "likes by their profile, of playlists too"),
    "reposts-claimed": OfPeople("reposts_given_count", "reposts by their profile"),
}
OF = (LIKES, *OF_TRACKS, *OF_PEOPLE)

# How liked tracks are grouped: an expression over `tracks t`.
BY = {
    "genre": "nullif(trim(t.genre), '')",
    "artist": "(SELECT username FROM users WHERE id = t.uploader_id)",
    "label": "nullif(trim(t.label_name), '')",
    "year": "substr(t.created_at, 1, 4)",
    "access": "t.access",
}
PER = ("person", "like")
ESTIMATORS = ("hajek", "ht", "ratio", "regression")
CAPPED = ("by-profile", "as-read", "left-out")  # what is done with people whose list was cut
