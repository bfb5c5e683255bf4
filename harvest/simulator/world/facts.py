"""What is true of each user, track and playlist on its own: ids, oddities, dates, page addresses.

In: an index (0, 1, 2, ...). Out: one fact, the same for ever. Never: anything that depends on other things,
except who owns a track or playlist.
"""

from __future__ import annotations

from functools import lru_cache

from harvest.simulator.world import names
from harvest.simulator.world.bipartite import Ownership
from harvest.simulator.world.made_ids import LinkIds, MadeIds, StationIds
from harvest.simulator.world.options import WorldOptions
from harvest.simulator.world.prng import Ids, mix, salt, threshold
from harvest.simulator.world.versions import Version, version

DAY_MS = 86_400_000
SITE = "https://soundcloud.com"
USERS_FROM, USERS_TO = 1_199_145_600_000, 1_514_764_800_000  # accounts: 2008 to 2018, uploads later
COMMENTS = 1000  # numbers set aside per track
SPOTLESS = 16  # the first tracks are seeds for demonstrations: public, playable, complete


class Facts:
    """One fact at a time about one thing."""

    def __init__(self, options: WorldOptions) -> None:
        self.options = o = options
        users, tracks = Ids(o.users, salt(o.seed, "user ids")), Ids(o.tracks, salt(o.seed, "track ids"))
        self.stations = StationIds(tracks, users)
        self.links = LinkIds(users, lambda user: self.slug("user", user))
        self.ids: dict[str, Ids | MadeIds] = {
            "user": users,
            "track": tracks,
            "station": self.stations,
            "link": self.links,
            "playlist": Ids(o.playlist_count, salt(o.seed, "playlist ids")),
            "comment": Ids(o.tracks * COMMENTS, salt(o.seed, "comment ids")),
        }
        self._salts: dict[str, int] = {}
        self._shares: dict[str, int] = {}
        count = o.community_count
        own = salt(o.seed, "own tracks")
        self._track_owners = Ownership(o.tracks, o.users, own, communities=count, artists=o.artists)
        own = salt(o.seed, "own playlists")
        self._playlist_owners = Ownership(o.playlist_count, o.users, own, communities=count, artists=0.5)
        self.track_created = lru_cache(maxsize=4 * o.cache)(self._track_created)

    def chance(self, stream: str, index: int) -> int:
        """Return 64 bits of chance for one thing; each stream is its own."""
        stream_salt = self._salts.get(stream)
        if stream_salt is None:
            stream_salt = self._salts[stream] = salt(self.options.seed, stream)
        return mix(stream_salt, index)

    def odd(self, share: str, index: int) -> bool:
        """Say whether a thing belongs to a share named in the options."""
        bound = self._shares.get(share)
        if bound is None:
            bound = self._shares[share] = threshold(getattr(self.options, share))
        return bound > 0 and self.chance(share, index) < bound

    def spotless(self, track: int) -> bool:
        """Say whether a track is kept free of oddities, to be a seed."""
        return track < SPOTLESS

    def gone(self, user: int) -> bool:
        """Say whether an account answers 404."""
        return self.odd("gone", user)

    def forbidden(self, user: int) -> bool:
        """Say whether an account answers 403."""
        return not self.gone(user) and self.odd("forbidden", user)

    def private(self, track: int) -> bool:
        """Say whether a track is hidden from everyone without its secret."""
        return not self.spotless(track) and self.odd("private", track)

    hidden = private  # from those without the secret; at another moment also what is deleted
    alone = private  # has no station around it; at another moment also what is new

    def away(self, thing: str, index: int) -> bool:
        """Say whether a user, track or playlist that there was, or will be, is not there now."""
        return False

    def there(self, thing: str, index: int) -> bool:
        """Say whether a user, track or playlist is there now; a private track is."""
        return not (self.gone(index) if thing == "user" else self.away(thing, index))

    def told(self, thing: str, index: int, chance: int) -> int:
        """Return the chance that makes the name of a user, or the title of a track or playlist."""
        return chance

    def nobody(self, track: int) -> bool:
        """Say whether a track comes with a null user."""
        return not self.spotless(track) and self.odd("null_users", track)

    def version(self, track: int) -> Version | None:
        """Return what a track is another upload, a remix or an edit of; None for a recording of its own."""
        if not self.odd("versions", track):
            return None
        found = version(self.chance("version", track), track, SPOTLESS, lambda one: self.recording(one) is not None)
        return None if found is None or (found.original >= SPOTLESS and self.odd("versions", found.original)) else found

    def recording(self, track: int) -> str | None:
        """Return the code of a track's own recording (ISRC), which most have not."""
        chance = self.chance("track", track)
        return None if (chance >> 44) % 8 else f"QZ{chance % 10**10:010d}"

    def access(self, track: int) -> str | None:
        """Return the access of a track as our caller sees it."""
        if self.spotless(track):
            return "playable"
        if self.odd("null_access", track):
            return None
        chance, blocked = self.chance("access", track), threshold(self.options.blocked)
        if chance < blocked:
            return "blocked"
        return "preview" if chance < blocked + threshold(self.options.preview) else "playable"

    def user_created(self, user: int) -> int:
        """Return when an account was opened."""
        return USERS_FROM + self.chance("user created", user) % (USERS_TO - USERS_FROM) // 1000 * 1000

    def _track_created(self, track: int) -> int:
        """Return when a track was uploaded."""
        latest = self.options.now_ms - 45 * DAY_MS
        return USERS_TO + self.chance("track created", track) % (latest - USERS_TO) // 1000 * 1000

    def playlist_created(self, playlist: int) -> int:
        """Return when a playlist was made."""
        latest = self.options.now_ms - 45 * DAY_MS
        return USERS_TO + self.chance("playlist created", playlist) % (latest - USERS_TO) // 1000 * 1000

    def owner(self, thing: str, index: int) -> int:
        """Return who made a track or playlist."""
        owners = self._track_owners if thing == "track" else self._playlist_owners
        return owners.owner(index)

    def uploads(self, user: int) -> list[int]:
        """Return the public tracks of a user."""
        return [track for track in self._track_owners.owned(user) if not self.hidden(track)]

    def station(self, index: int) -> bool:
        """Say whether a station is shown: one around a public track, or around a person who has one."""
        thing, centre = self.stations.around(index)
        return not self.hidden(centre) if thing == "track" else not self.gone(centre) and bool(self.uploads(centre))

    def playlists(self, user: int) -> list[int]:
        """Return the playlists of a user."""
        return self._playlist_owners.owned(user)

    def slug(self, thing: str, index: int) -> str:
        """Return the last part of a page address."""
        return names.slug(self.chance(f"{thing} slug", index), self.ids[thing].id(index))

    def url(self, thing: str, index: int) -> str:
        """Return the page address of a user, track, playlist or station, as a browser shows it."""
        if thing == "user":
            return f"{SITE}/{self.slug(thing, index)}"
        if thing == "station":
            return f"{SITE}/discover/sets/{self.stations.urn(index).split(':', 2)[2]}"
        middle = "/sets" if thing == "playlist" else ""
        return f"{SITE}/{self.slug('user', self.owner(thing, index))}{middle}/{self.slug(thing, index)}"

    def secret(self, track: int) -> str:
        """Return the secret part of a private track's address."""
        return f"s-{names.base36(self.chance('secret', track))[:11]}"
