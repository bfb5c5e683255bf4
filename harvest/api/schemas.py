"""The shapes on the wire: of each object only the fields that are kept. Unknown keys are ignored.

Every field may be absent or null whatever the official description says (2026-07-19).
The order of the fields is the order in which `parse.py` takes them apart: first what it looks into (of secrets only
whether there are any), then what goes into the columns of `models.py` as it stands, numbers before texts. A new text is
added at the end, here and there. Shapes that carry a user come in two versions, with WireUser or with WireProfile:
personal fields are not even decoded unless they were asked for.
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec

from harvest.models import MOST

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]  # a larger one is no count of anything: unknown
Measure = Annotated[float, msgspec.Meta(ge=0, le=MOST)]


class WireUser(msgspec.Struct, gc=False):
    """A user, in a list or inside something else."""

    urn: str | None = None
    kind: str | None = None
    id: int | None = None
    uri: str | None = None
    permalink_url: str | None = None
    created_at: str | None = None
    followers_count: Count | None = None
    followings_count: Count | None = None
    track_count: Count | None = None
    playlist_count: Count | None = None
    public_favorites_count: Count | None = None
    reposts_count: Count | None = None
    username: str | None = None
    avatar_url: str | None = None
    station_urn: str | None = None


class WireProfile(WireUser, gc=False):
    """A user with the personal fields."""

    full_name: str | None = None
    city: str | None = None
    country: str | None = None
    description: str | None = None
    website: str | None = None


Person = TypeVar("Person", bound=WireUser)
Entry = TypeVar("Entry", bound=msgspec.Struct)


class WireTrack(msgspec.Struct, Generic[Person], gc=False):
    """A track; `user` is null where the uploader is gone. The official description calls the country codes a string."""

    urn: str | None = None
    kind: str | None = None
    id: int | None = None
    uri: str | None = None
    secret_token: str | None = None
    secret_uri: str | None = None
    user: Person | None = None
    tag_list: str | None = None
    available_country_codes: str | list[str | None] | None = None
    permalink_url: str | None = None
    created_at: str | None = None
    release_year: int | None = None
    release_month: int | None = None
    release_day: int | None = None
    duration: Count | None = None
    playback_count: Count | None = None
    favoritings_count: Count | None = None
    reposts_count: Count | None = None
    comment_count: Count | None = None
    download_count: Count | None = None
    downloadable: bool | None = None
    reveal_stats: bool | None = None
    title: str | None = None
    genre: str | None = None
    label_name: str | None = None
    isrc: str | None = None
    bpm: Measure | None = None
    key_signature: str | None = None
    metadata_artist: str | None = None
    license: str | None = None
    description: str | None = None
    artwork_url: str | None = None
    access: str | None = None
    sharing: str | None = None
    release: str | None = None
    purchase_url: str | None = None
    purchase_title: str | None = None
    waveform_url: str | None = None
    station_urn: str | None = None


class WirePlaylist(msgspec.Struct, Generic[Person], gc=False):
    """A playlist or album; its `tracks` are left where they are."""

    urn: str | None = None
    kind: str | None = None
    id: int | None = None
    uri: str | None = None
    secret_token: str | None = None
    secret_uri: str | None = None
    user: Person | None = None
    user_urn: str | None = None
    title: str | None = None
    permalink_url: str | None = None
    created_at: str | None = None
    track_count: Count | None = None
    likes_count: Count | None = None
    duration: Count | None = None
    playlist_type: str | None = None
    type: str | None = None
    genre: str | None = None
    label_name: str | None = None
    sharing: str | None = None
    artwork_url: str | None = None
    description: str | None = None


class WireStation(msgspec.Struct, gc=False):
    """A station; its shape was never seen, so whatever is there is taken: `id` may be a number or the URN."""

    urn: str | None = None
    kind: str | None = None
    id: int | str | None = None
    uri: str | None = None
    permalink_url: str | None = None
    last_updated: str | None = None
    last_modified: str | None = None
    track_count: Count | None = None
    likes_count: Count | None = None
    title: str | None = None
    description: str | None = None
    artwork_url: str | None = None


class WireStationTracks(WireStation, Generic[Person], gc=False):
    """The same with its tracks."""

    tracks: list[WireTrack[Person] | None] | None = None
    next_href: str | None = None


class WireComment(msgspec.Struct, Generic[Person], gc=False):
    """A comment; `timestamp` is a number in the examples and a string in the schema."""

    urn: str | None = None
    kind: str | None = None
    id: int | None = None
    uri: str | None = None
    user: Person | None = None
    user_urn: str | None = None
    track_urn: str | None = None
    created_at: str | None = None
    timestamp: float | str | None = None
    body: str | None = None


class WireLink(msgspec.Struct, gc=False):
    """A link on a person's page. `urn` and `id` are those of the page in the official example, so they name nothing."""

    kind: str | None = None
    created_at: str | None = None
    url: str | None = None
    service: str | None = None
    title: str | None = None
    username: str | None = None


class Envelope(msgspec.Struct, Generic[Entry]):
    """A page of a list."""

    collection: list[Entry | None]
    next_href: str | None = None


class OnlyEnvelope(Envelope[Entry], Generic[Entry], forbid_unknown_fields=True):
    """A page of a list, and nothing beside it."""
