"""What can be chosen about a made-up SoundCloud."""

from __future__ import annotations

from dataclasses import dataclass

NOW_MS = 1_793_534_400_000  # 2026-11-01 12:00 UTC: the moment the world stands still at


@dataclass(frozen=True, slots=True)
class WorldOptions:
    """Sizes, habits and the share of odd things. Shares are probabilities; None means a sensible default.

    `seed_likers` and `seed_reposters` are the exact numbers of people who like and repost the hit, track 0.
    `artists` is the share of users who may upload.
    `spread` 0 makes every user like about as many tracks, 1 gives a power law.
    `overclaimed` is the share of users whose profile counts many more likes than can be listed.
    `newcomers_differ` (0 to 1) makes late likes and reposts come from less active people of later taste groups, so that
    the newest people of a list are unlike the others; 0 leaves times to chance alone.
    `versions` is the share of tracks that are another upload, a remix or an edit of an earlier one.
    `null_entries` is the share of entries that stand in a list as null. `quirks` False gives plain texts.
    """

    seed: int = 1
    users: int = 500
    tracks: int = 2000
    playlists: int | None = None
    likes_per_user: float = 30.0
    reposts_per_user: float | None = None
    follows_per_user: float = 20.0
    artists: float = 0.4
    communities: int = 8
    community_share: float = 0.7
    spread: float = 1.0
    seed_likers: int | None = None
    seed_reposters: int | None = None
    gone: float = 0.01
    forbidden: float = 0.005
    private: float = 0.01
    blocked: float = 0.05
    preview: float = 0.05
    overclaimed: float = 0.01
    null_access: float = 0.005
    null_users: float = 0.01
    hidden_stats: float = 0.02
    null_entries: float = 0.0
    versions: float = 0.02
    newcomers_differ: float = 0.0
    numeric_ids: bool = False
    quirks: bool = True
    now_ms: int = NOW_MS
    cache: int = 20_000

    def __post_init__(self) -> None:
        if self.users < 1 or self.tracks < 1:
            raise ValueError("a world needs at least one user and one track")

    @property
    def playlist_count(self) -> int:
        """Return how many playlists there are."""
        return self.playlists if self.playlists is not None else max(1, self.users * 2 // 5)

    @property
    def reposts_mean(self) -> float:
        """Return the mean number of tracks a user reposts."""
        return self.reposts_per_user if self.reposts_per_user is not None else self.likes_per_user / 8

    @property
    def hit_likers(self) -> int:
        """Return how many users like the hit."""
        wanted = self.seed_likers if self.seed_likers is not None else min(max(self.users // 4, 3), 3000)
        return min(wanted, self.users)

    @property
    def hit_reposters(self) -> int:
        """Return how many users repost the hit."""
        wanted = self.seed_reposters if self.seed_reposters is not None else max(self.hit_likers // 6, 1)
        return min(wanted, self.users)

    @property
    def community_count(self) -> int:
        """Return how many taste groups there really are; small worlds have fewer."""
        return max(1, min(self.communities, self.users // 10, self.tracks // 20, self.playlist_count // 4))
