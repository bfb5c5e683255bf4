"""What users, tracks, playlists and comments look like on the wire, oddities included.

In: an index. Out: a dict ready for JSON, and encoded bytes. Fields follow the official description; nulls,
absent keys and odd texts follow what has been recorded of the real service.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from msgspec import Raw
from msgspec.json import decode, encode

from harvest.simulator.world import names
from harvest.simulator.world.engagements import Deeds
from harvest.simulator.world.facts import COMMENTS, Facts
from harvest.simulator.world.made_ids import SERVICES
from harvest.simulator.world.options import NOW_MS
from harvest.simulator.world.prng import mix
from harvest.simulator.world.versions import AGAIN, titled
from harvest.simulator.world.world import World, as_datetime

API = "https://api.soundcloud.com"
_UTM = "?utm_medium=api&utm_campaign=social_sharing&utm_source=id_314159"
_LICENSES = ("all-rights-reserved", "cc-by", "cc-by-nc-sa", "no-rights-reserved")
_KEYS = ("C", "F#m", "Bb", "Am")
_known: WeakKeyDictionary[World, Objects] = WeakKeyDictionary()

Json = dict[str, Any]


def stamp(millis: int) -> str:
    """Write a time as the official API does: 2026/08/07 14:18:05 +0000."""
    return as_datetime(millis).strftime("%Y/%m/%d %H:%M:%S +0000")


def objects_of(world: World) -> Objects:
    """Return the objects of a world, the same ones to all who ask, so that each is made once."""
    known = _known.get(world)
    return known if known is not None else _known.setdefault(world, Objects(world))


class Objects:
    """Make the objects of one world; keeps the bytes of recent ones, see `objects_of`."""

    def __init__(self, world: World) -> None:
        self._facts: Facts = world.facts
        self._deeds: Deeds = world.deeds
        self._quirks = world.options.quirks
        self._ids = world.facts.ids
        self._numeric = world.options.numeric_ids
        size = world.options.cache
        self._card = lru_cache(maxsize=size)(self._made_card)
        makers = {
            "track": self.track,
            "user": self.user,
            "playlist": self.playlist,
            "station": self.station,
            "link": self.link,
            "comment": self.comment,
        }
        self._bytes = {thing: lru_cache(maxsize=size)(_encoded(make)) for thing, make in makers.items()}

    def bytes_of(self, thing: str, index: int, *, show_tracks: bool = True) -> bytes:
        """Return one object as JSON."""
        if thing != "playlist" or not show_tracks:
            return self._bytes[thing](index)
        tracks = self._deeds.entries("playlist_tracks", index).items
        return encode(self.playlist(index) | {"tracks": [Raw(self.bytes_of("track", one)) for one in tracks]})

    def seen(self, thing: str, index: int) -> Json:
        """Return one object as who reads its JSON sees it, a playlist without its tracks."""
        made: Json = decode(self._bytes[thing](index))
        return made

    def urn(self, thing: str, index: int) -> str:
        """Return the URN of a thing."""
        if thing == "station":
            return self._facts.stations.urn(index)
        return f"soundcloud:{thing}s:{self._ids[thing].id(index)}"

    def _identity(self, thing: str, index: int) -> Json:
        """Return kind, urn, uri, and the deprecated number when it is still sent."""
        urn = self.urn(thing, index)
        identity: Json = {"kind": thing, "urn": urn, "uri": f"{API}/{thing}s/{urn}"}
        if self._numeric:
            identity["id"] = self._ids[thing].id(index)
        return identity

    def _quirk(self, chance: int, bits: int, one_in: int) -> bool:
        """Say whether this thing is odd in one respect."""
        return self._quirks and (chance >> bits) % one_in == 0

    def name(self, user: int) -> str:
        """Return the name a user goes by."""
        chance = self._facts.chance("username", user)
        return names.name(self._facts.told("user", user, chance), nasty=self._quirks)

    def user(self, user: int) -> Json:
        """Return a user as it stands in lists and on its own, with real counts."""
        count = self._deeds.count
        chance = self._facts.chance("user", user)
        return self._card(user) | {
            "first_name": self.name(user).split(" ")[0],
            "last_name": "" if chance & 1 else None,
            "plan": "Pro Unlimited" if chance & 7 == 0 else "Free",
            "discogs_name": None,
            "website": None if chance & 2 else "https://example.com",
            "website_title": None if chance & 2 else "",
            "subscriptions": [] if chance & 4 else [{"product": {"id": "free", "name": "Free"}, "recurring": False}],
            "online": False,
            "comments_count": 0,
            "likes_count": 0,
            "playlist_count": count("user_playlists", user),
            "followers_count": count("user_followers", user),
            "followings_count": count("user_followings", user),
            "public_favorites_count": count("favorites", user),
            "reposts_count": count("user_reposts", user) + count("user_playlist_reposts", user),
        }

    def _made_card(self, user: int) -> Json:
        """Return what is said of a user everywhere; to be copied before it is changed."""
        stations = self._facts.stations
        station = stations.of_user(user)
        chance = self._facts.chance("user", user)
        place = (chance >> 20) % len(names.CITIES)
        default = (chance >> 8) % 5 == 0
        avatar = f"https://i1.sndcdn.com/avatars-{chance:016x}-large.jpg"
        created = None if self._quirk(chance, 28, 20) else stamp(self._facts.user_created(user))
        return (
            self._identity("user", user)
            | {
                "permalink": self._facts.slug("user", user),
                "permalink_url": self._facts.url("user", user) + (_UTM if self._quirks else ""),
                "username": self.name(user),
                "avatar_url": "https://a1.sndcdn.com/images/default_avatar_large.png" if default else avatar,
                "full_name": "" if chance & 16 else f"{self.name(user)} Full",
                "city": None if chance & 32 else names.CITIES[place],
                "country": None if chance & 64 else names.COUNTRIES[place],
                "description": None if chance & 128 else f"Bookings: see site.\n{self.name(user)}",
                "created_at": created,
                "last_modified": stamp(self._facts.user_created(user) + chance % 10**9),
                "track_count": self._deeds.count("user_tracks", user),
            }
            | ({"station_urn": stations.urn(station)} if self._facts.station(station) else {})
        )

    def embedded_user(self, user: int) -> Json:
        """Return a user as it stands inside a track: some counts are 0 although they are not, others absent."""
        card = self._card(user).copy()
        chance = self._facts.chance("embedded", user)
        zeros = ("followers_count", "followings_count", "public_favorites_count", "reposts_count")
        card.update({name: 0 for place, name in enumerate(zeros) if chance >> place & 1})
        if chance & 32:
            card["playlist_count"] = self._deeds.count("user_playlists", user)
        if chance & 64 and self._quirks:
            del card["created_at"]
        return card

    def track(self, track: int) -> Json:
        """Return a track as it stands in lists and on its own."""
        facts, chance = self._facts, self._facts.chance("track", track)
        owner = None if facts.nobody(track) else self.embedded_user(facts.owner("track", track))
        urn = self.urn("track", track)
        return (
            self._identity("track", track)
            | self.words(track)
            | self._release(track, chance)
            | self._stats(track, chance)
            | {
                "user": owner,
                "duration": self.duration(track),
                "created_at": stamp(facts.track_created(track)),
                "permalink_url": facts.url("track", track) + (_UTM if self._quirks else ""),
                "access": facts.access(track),
                "sharing": "private" if facts.private(track) else "public",
                "streamable": True,
                "downloadable": bool(chance & 256),
                "download_url": f"{API}/tracks/{urn}/download" if chance & 256 else None,
                "stream_url": f"{API}/tracks/{urn}/stream",
                "commentable": True,
                "embeddable_by": "all",
                "artwork_url": None if chance & 512 else f"https://i1.sndcdn.com/artworks-{chance:016x}-large.jpg",
                "waveform_url": f"https://wave.sndcdn.com/{chance:016x}_m.png",
                "available_country_codes": (None, None, "", "DE,FR", ["DE", None, "FR"])[(chance >> 33) % 5],
                "secret_uri": None,
                **self._shop(chance),
                "user_favorite": False if chance & 1024 else None,
                "user_playback_count": None,
            }
            | ({} if facts.alone(track) else {"station_urn": facts.stations.urn(facts.stations.of_track(track))})
        )

    def _shop(self, chance: int) -> Json:
        """Return where a track can be had: mostly nowhere."""
        if (chance >> 29) % 4:
            return {"purchase_title": None, "purchase_url": None}
        title = ("Buy", "", None)[(chance >> 31) % 3]
        return {"purchase_title": title, "purchase_url": f"https://shop.example/{chance % 999}"}

    def duration(self, track: int) -> int:
        """Return how long a track is, in milliseconds."""
        made = self._facts.version(track)
        again = made is not None and made.kind == AGAIN
        of, more = (made.original, made.apart_ms) if made is not None and again else (track, 0)
        return 30_000 + self._facts.chance("track", of) % 600_000 + more

    def heading(self, thing: str, index: int) -> str:
        """Return the name of a thing and of its maker; what a search looks into."""
        if thing == "user":
            return self.name(index)
        owner = "" if thing == "track" and self._facts.nobody(index) else self.name(self._facts.owner(thing, index))
        return f"{self.called(thing, index) or ''} {owner}"

    def called(self, thing: str, index: int) -> str | None:
        """Return the name of a user, or the title of a track or playlist."""
        if thing == "user":
            return self.name(index)
        title: str | None = self.words(index)["title"] if thing == "track" else self._playlist_title(index)
        return title

    def _playlist_title(self, playlist: int) -> str:
        chance = self._facts.chance("playlist", playlist)
        return names.title(self._facts.told("playlist", playlist, chance), nasty=self._quirks)

    def words(self, track: int) -> Json:
        """Return the texts of a track."""
        chance = self._facts.chance("track", track)
        odd = self._quirks and not self._facts.spotless(track)
        tags = names.tags(mix(chance, 7), odd=odd)
        title = names.title(self._facts.told("track", track, chance), nasty=odd)
        genre = names.GENRES[(chance >> 12) % len(names.GENRES)]
        words = {
            "title": None if odd and (chance >> 36) % 200 == 0 else title,
            "genre": (genre, genre, genre, "", None)[(chance >> 20) % 5 if odd else 0],
            "tag_list": names.tag_list(tags, mix(chance, 8), odd=odd),
            "description": (None, "", f"{title}\nOut now. Mail: x@example.com")[(chance >> 24) % 3],
            "label_name": (None, "", names.label(genre, chance >> 16))[(chance >> 26) % 3],
            "metadata_artist": self._artist(chance),
            "license": _LICENSES[(chance >> 34) % 16 % len(_LICENSES)],
            "key_signature": None if (chance >> 38) % 16 else _KEYS[(chance >> 42) % len(_KEYS)],
            "isrc": self._facts.recording(track),
            "bpm": None if (chance >> 48) % 8 else names.tempo(genre, chance >> 51),
        }
        return words | self._version(track, chance)

    @staticmethod
    def _artist(chance: int) -> str | None:
        return None if (chance >> 30) % 4 else f"{names.title(mix(chance, 9), nasty=False)} Band"

    def _version(self, track: int, chance: int) -> Json:
        """Return the texts in which a version of another track follows it, or names who made it."""
        facts, made = self._facts, self._facts.version(track)
        if made is None:
            return {}
        of = facts.chance("track", made.original)
        plain = names.title(of, nasty=self._quirks and not facts.spotless(made.original))
        is_called = facts.told("track", track, chance) == chance  # not renamed since
        if made.kind == AGAIN:
            if made.coded:
                return {"isrc": facts.recording(made.original)}
            artist = self._artist(of) or self._first_name(facts.owner("track", made.original))
            return {"metadata_artist": artist} | ({"title": plain} if is_called else {})
        return {"title": titled(plain, made, self._first_name(facts.owner("track", track)))} if is_called else {}

    def _first_name(self, user: int) -> str:
        """Return the name that a user went by on the first day."""
        return names.name(self._facts.chance("username", user), nasty=self._quirks)

    def tags_of(self, track: int) -> tuple[str, ...]:
        """Return the tags that the tag_list of a track spells."""
        odd = self._quirks and not self._facts.spotless(track)
        return names.tags(mix(self._facts.chance("track", track), 7), odd=odd)

    def _release(self, track: int, chance: int) -> Json:
        """Return the release date: whole, in part, or not at all."""
        day = as_datetime(self._facts.track_created(track))
        form = (chance >> 53) % 5
        return {
            "release": (None, "", f"PM{chance % 1000:03d}")[(chance >> 57) % 3],
            "release_year": day.year if form < 3 else None,
            "release_month": day.month if form < 2 or form == 4 else None,
            "release_day": day.day if form < 1 or form == 4 else None,
        }

    def _stats(self, track: int, chance: int) -> Json:
        """Return the counts of a track; an owner may hide them, then they are null or absent."""
        count = self._deeds.count
        hidden = not self._facts.spotless(track) and self._facts.odd("hidden_stats", track)
        flags = {"reveal_stats": not hidden, "reveal_comments": True}
        likes = 0 if hidden else count("track_likers", track)
        stats: dict[str, int | None] = {
            "favoritings_count": likes,
            "reposts_count": 0 if hidden else count("track_reposters", track),
            "playback_count": self._deeds.plays(track, likes),
            "comment_count": 0 if hidden else count("track_comments", track),
            "download_count": likes // 9 if chance & 256 else 0,
        }
        if hidden:
            stats = dict.fromkeys(stats) if chance & 1 else {}
        return stats | flags

    def playlist(self, playlist: int) -> Json:
        """Return a playlist without its tracks."""
        facts, chance = self._facts, self._facts.chance("playlist", playlist)
        owner = facts.owner("playlist", playlist)
        urn = self.urn("playlist", playlist)
        kind = ("", "album", "ep", "single", "compilation", "other")[chance % 6]
        return self._identity("playlist", playlist) | {
            "title": self._playlist_title(playlist),
            "permalink": facts.slug("playlist", playlist),
            "permalink_url": facts.url("playlist", playlist) + (_UTM if self._quirks else ""),
            "tracks_uri": f"{API}/playlists/{urn}/tracks",
            "user": self.embedded_user(owner),
            "user_urn": self.urn("user", owner),
            "track_count": self._deeds.count("playlist_tracks", playlist),
            "likes_count": 0,
            "duration": 60_000 + chance % 9_000_000,
            "created_at": stamp(facts.playlist_created(playlist)),
            "last_modified": stamp(facts.playlist_created(playlist) + chance % 10**9),
            "playlist_type": kind,
            "type": kind,
            "sharing": "public",
            "genre": None if chance & 64 else names.GENRES[(chance >> 12) % len(names.GENRES)],
            "tag_list": "",
            "tags": None,
            "label": None,
            "label_id": None,
            "label_name": None,
            "description": None,
            "artwork_url": None,
            "ean": None,
            "release": None,
            "release_year": None,
            "release_month": None,
            "release_day": None,
            "license": "all-rights-reserved",
            "streamable": True,
            "downloadable": False,
            "embeddable_by": "all",
            "purchase_title": None,
            "purchase_url": None,
        }

    def station(self, station: int) -> Json:
        """Return a station without its tracks. No recording of one exists: the shape is that of a playlist."""
        chance, url = self._facts.chance("station", station), self._facts.url("station", station)
        urn = self.urn("station", station)
        return {
            "kind": "system-playlist",
            "urn": urn,
            "uri": f"{API}/system-playlists/{urn}",
            "title": None if self._quirk(chance, 8, 20) else f"Station: {names.title(chance, nasty=self._quirks)}",
            "description": (None, "", "Tracks like this one.")[chance % 3],
            "permalink": url.rsplit("/", 1)[-1],
            "permalink_url": url + (_UTM if self._quirks else ""),
            "artwork_url": None if chance & 64 else f"https://i1.sndcdn.com/artworks-{chance:016x}-large.jpg",
            "last_updated": stamp(NOW_MS - chance % 10**9),
            "track_count": None if chance & 128 else self._deeds.count("station_tracks", station),
            "likes_count": (chance >> 9) % 1000,
        }

    def comment(self, comment: int) -> Json:
        """Return a comment with the small user object it carries."""
        chance, user = self._facts.chance("comment text", comment), self._deeds.commenter(comment)
        seconds: int | str | None = None if self._quirk(chance, 8, 9) else chance % 600_000
        if seconds is not None and (chance & 1 or not self._quirks):
            seconds = str(seconds)  # the description says string, its examples show numbers
        small = ("avatar_url", "kind", "last_modified", "permalink", "permalink_url", "uri", "urn", "username")
        zeros = ("followers_count", "followings_count", "reposts_count")
        card = self._card(user)
        texts = names.NASTY if self._quirk(chance, 4, 6) else names.WORDS
        return self._identity("comment", comment) | {
            "body": texts[(chance >> 16) % len(texts)],
            "created_at": stamp(self._deeds.comment_time(comment)),
            "timestamp": seconds,
            "track_urn": self.urn("track", comment // COMMENTS),
            "user_urn": self.urn("user", user),
            "user": {key: card[key] for key in small} | dict.fromkeys(zeros, 0),
        }

    def link(self, link: int) -> Json:
        """Return a link on a user's page. Its URN is that of the page, as in the official example."""
        user, place = divmod(link, len(SERVICES))
        return {
            "kind": "web-profile",
            "urn": self.urn("user", user),
            "service": SERVICES[place],
            "title": "" if self._facts.chance("web", user) >> place & 1 else SERVICES[place],
            "url": self._facts.links.url(link),
            "username": self._facts.slug("user", user),
            "created_at": stamp(self._facts.user_created(user)),
        }

    def me(self, user: int) -> Json:
        """Return the logged-in person."""
        return self.user(user) | {
            "locale": "en",
            "primary_email_confirmed": True,
            "private_playlists_count": 0,
            "private_tracks_count": 0,
            "upload_seconds_left": None,
            "quota": {"unlimited_upload_quota": False, "upload_seconds_used": 0, "upload_seconds_left": None},
            "likes_count": self._deeds.count("user_likes", user),
        }


def _encoded(make: Callable[[int], Json]) -> Callable[[int], bytes]:
    return lambda index: encode(make(index))
