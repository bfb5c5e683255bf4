"""What a row holds: a named tuple for each table and view that can be gone through, with all of its columns."""

from __future__ import annotations

from typing import NamedTuple


class HarvestRow(NamedTuple):
    """A row of `harvests`: where one started and how far it is."""

    id: int
    seed_url: str | None
    seed_kind: str | None
    seed_id: int | None
    options: str
    state: str
    round: int
    level: int
    reason: str | None
    started_at: str
    finished_at: str | None
    last_options: str | None
    mark: int | None


class UserRow(NamedTuple):
    """A row of `users`. What is personal is None but under `profiles="full"`."""

    id: int
    urn: str
    username: str | None
    permalink_url: str | None
    avatar_url: str | None
    station_urn: str | None
    created_at: str | None
    followers_count: int | None
    followings_count: int | None
    track_count: int | None
    playlist_count: int | None
    likes_given_count: int | None
    reposts_given_count: int | None
    full_name: str | None
    city: str | None
    country: str | None
    description: str | None
    website: str | None
    seen_as: str
    status: str
    gone_at: str | None
    counts_seen_at: str | None
    counts_page_id: int | None
    first_seen_at: str
    last_seen_on: str


class TrackRow(NamedTuple):
    """A row of `tracks`."""

    id: int
    urn: str
    uploader_id: int | None
    title: str | None
    permalink_url: str | None
    created_at: str | None
    duration_ms: int | None
    genre: str | None
    label_name: str | None
    isrc: str | None
    bpm: float | None
    key_signature: str | None
    metadata_artist: str | None
    license: str | None
    release_date: str | None
    description: str | None
    artwork_url: str | None
    playback_count: int | None
    likes_count: int | None
    reposts_count: int | None
    comment_count: int | None
    download_count: int | None
    downloadable: int | None
    purchase_url: str | None
    purchase_title: str | None
    release: str | None
    available_country_codes: str | None
    waveform_url: str | None
    station_urn: str | None
    reveal_stats: int | None
    access: str | None
    sharing: str | None
    seen_as: str
    status: str
    gone_at: str | None
    uploader_list_rank: int | None
    counts_seen_at: str | None
    counts_page_id: int | None
    first_seen_at: str
    last_seen_on: str


class PlaylistRow(NamedTuple):
    """A row of `playlists`."""

    id: int
    urn: str
    owner_id: int | None
    title: str | None
    permalink_url: str | None
    created_at: str | None
    track_count: int | None
    likes_count: int | None
    duration_ms: int | None
    playlist_type: str | None
    genre: str | None
    label_name: str | None
    sharing: str | None
    artwork_url: str | None
    description: str | None
    status: str
    gone_at: str | None
    owner_list_rank: int | None
    first_page_id: int
    first_seen_at: str
    last_seen_on: str


class PlaylistTrack(NamedTuple):
    """A row of `playlist_tracks`: a track at its place in a playlist."""

    playlist_id: int
    position: int
    track_id: int
    first_page_id: int


class Follow(NamedTuple):
    """A row of `user_follows`: a user and the user they follow."""

    follower_id: int
    followee_id: int
    followers_list_rank: int | None
    followings_list_rank: int | None
    first_page_id: int


class Comment(NamedTuple):
    """A row of `comments`."""

    id: int
    track_id: int | None
    user_id: int | None
    created_at: str | None
    timestamp_ms: int | None
    body: str | None
    track_list_rank: int | None
    first_page_id: int


class Engagement(NamedTuple):
    """A row of the views `likes` and `reposts`."""

    user_id: int
    username: str | None
    track_id: int
    title: str | None
    artist: str | None
    permalink_url: str | None
    user_list_rank: int | None
    track_list_rank: int | None
    user_list: str


class List(NamedTuple):
    """A row of the view `lists`: the ledger."""

    task_id: int
    kind: str
    what: str
    subject_id: int
    subject: str | None
    outcome: str
    claimed: int | None
    collected: int
    missing: int | None
    skipped: int
    pages_read: int
    read_until: str | None
    goes_on: int


class Sampled(NamedTuple):
    """A row of the view `sample`: who was listed, who was followed, with what chance."""

    harvest_id: int
    track_id: int
    user_id: int
    username: str | None
    engagement_type: str
    track_list_rank: int
    likes_given_count: int | None
    chosen: int
    chance: float | None
    censored: int
    answer: str
    likes_read: int | None
    once: int


class Interaction(NamedTuple):
    """A row of the view `interactions`: the input of recommenders."""

    user_id: int
    track_id: int
    liked: int
    reposted: int
    like_rank: int | None


class RelatedTrack(NamedTuple):
    """A row of `related_tracks`: two tracks that `harvest analyze`, or the service, finds near each other."""

    track_id: int
    related_track_id: int
    method: str
    score: float | None
    common: int | None
    rank: int | None
    basis: str
    derivation_id: int
    first_page_id: int | None


class Verdict(NamedTuple):
    """A row of the view `verdicts`: what you think of a track."""

    track_id: int
    verdict: str
    judged_at: str
    title: str | None
    permalink_url: str | None


class Stood(NamedTuple):
    """A like or repost that stood on a day: for `certain`, or possibly; see the view `spells`."""

    user_id: int
    username: str | None
    track_id: int
    title: str | None
    engagement_type: str
    certain: int
    came_after: str | None
    seen_from: str
    seen_until: str
    gone_by: str | None
    reason: str | None
