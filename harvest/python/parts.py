"""The parts of a file as sequences of named tuples: `db.tracks`, `db.likes`, `db.lists`."""

from __future__ import annotations

from harvest.python.opened import Opened
from harvest.python.sequences import Rows
from harvest.python.typed_rows import (
    Comment,
    Engagement,
    Follow,
    HarvestRow,
    Interaction,
    List,
    PlaylistRow,
    PlaylistTrack,
    RelatedTrack,
    Sampled,
    TrackRow,
    UserRow,
    Verdict,
)


class Parts(Opened):
    """The tables and views that are gone through most. For all others there is `sql`."""

    @property
    def seeds(self) -> Rows[HarvestRow]:
        """One row per harvest, with its seed where it is of one."""
        return self._table("harvests", HarvestRow)

    @property
    def users(self) -> Rows[UserRow]:
        """One row per account."""
        return self._table("users", UserRow)

    @property
    def tracks(self) -> Rows[TrackRow]:
        """One row per track."""
        return self._table("tracks", TrackRow)

    @property
    def likes(self) -> Rows[Engagement]:
        """Who likes what."""
        return self._table("likes", Engagement)

    @property
    def reposts(self) -> Rows[Engagement]:
        """Who reposted what."""
        return self._table("reposts", Engagement)

    @property
    def follows(self) -> Rows[Follow]:
        """One row per follow: a user and the user they follow."""
        return self._table("user_follows", Follow)

    @property
    def playlists(self) -> Rows[PlaylistRow]:
        """One row per playlist."""
        return self._table("playlists", PlaylistRow)

    @property
    def playlist_tracks(self) -> Rows[PlaylistTrack]:
        """What playlists hold, in their order."""
        return self._table("playlist_tracks", PlaylistTrack)

    @property
    def comments(self) -> Rows[Comment]:
        """One row per comment."""
        return self._table("comments", Comment)

    @property
    def lists(self) -> Rows[List]:
        """How every list ended, and what is missing of it."""
        return self._table("lists", List)

    @property
    def sample(self) -> Rows[Sampled]:
        """All people listed around the tracks of a harvest, with who was followed."""
        return self._table("sample", Sampled)

    @property
    def interactions(self) -> Rows[Interaction]:
        """One row per user and track."""
        return self._table("interactions", Interaction)

    @property
    def related_tracks(self) -> Rows[RelatedTrack]:
        """Which tracks are near each other, as `analyze` or the service found."""
        return self._table("related_tracks", RelatedTrack)

    @property
    def verdicts(self) -> Rows[Verdict]:
        """What you think of tracks."""
        return self._table("verdicts", Verdict)
