"""What they like: tracks, artists, genres and tags in the sample, beside the service's own counts. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harvest.report.facts import Facts
from harvest.report.parts import Cell, by, key, name, paragraph, section, table
from harvest.report.pictures import two_shares
from harvest.report.rows import Artist, HeardTotals, Liked, Theme
from harvest.report.texts import count, share, shown, times
from harvest.report.tree import Element, Part, el

_HIDDEN = "not known"


def ratio(likes: int, likes_count: int | None, heard: HeardTotals) -> float | None:
    """Say how many times more at home something is here than on SoundCloud: its share of the likes here over its share
    of the likes the service counts, both among the tracks whose count is known. None where it is not.
    """
    if not likes_count or not heard.counted_likes:
        return None
    return (likes / heard.counted_likes) / (likes_count / heard.likes_count)


def taste(facts: Facts) -> Element:
    """Write the section."""
    if not facts.tracks:
        return section("taste", "What they like", paragraph("No likes of people who were followed have been read yet."))
    return section(
        "taste",
        "What they like",
        paragraph(
            f"The {count(facts.readers, 'person', 'people')} whose likes were read like "
            f"{count(facts.heard.tracks, 'track')} besides {aside(facts)}, "
            f"{count(facts.heard.likes, 'like')} in all. ",
            *_assumption(facts),
        ),
        _measure(facts),
        _tracks(facts),
        _own_tracks(facts),
        _artists(facts),
        key(("here", "share of the likes here"), ("there square", "share of the likes SoundCloud counts")),
        *_themes("genres", "Genres", "Genre", facts.genres, facts),
        *_themes("tags", "Tags", "Tag", facts.tags, facts),
    )


def _assumption(facts: Facts) -> list[Part]:
    """Say what these people have in common by the way they were found."""
    seeds = facts.found_seeds
    deeper = any(level.depth > 1 and level.kind == "user_likes" for level in facts.levels)
    if any(seed.seed_kind != "track" for seed in seeds):
        how = f"through the {'seed' if len(seeds) == 1 else 'seeds'}"
    elif deeper:
        how = f"because they like or repost {'the' if len(seeds) == 1 else 'a'} seed, or one of the tracks around it"
    else:
        how = f"because they like or repost {'the seed' if len(seeds) == 1 else 'one of the seeds'}"
    return [
        el("strong", f"All of them were found {how}."),
        " So nothing here tells what people at large like. What people were chosen for liking is left out of these "
        f"tables, {aside(facts)}: its share would say how the file was made, nothing else.",
    ]


def aside(facts: Facts) -> str:
    """Name the tracks that people were chosen for."""
    seeds = "the seed" if len(facts.found_seeds) == 1 else "the seeds"
    return f"{seeds} and the tracks around which the crawl went on" if facts.went_on else seeds


def _measure(facts: Facts) -> Element:
    unknown = facts.heard.tracks - facts.heard.counted_tracks
    hidden = (
        f" {count(unknown, 'track')} without such a count {'is' if unknown == 1 else 'are'} left out of the comparison."
        if unknown
        else ""
    )
    return paragraph(
        el("strong", "Against SoundCloud"),
        " compares two shares: of all likes here, and of all likes that SoundCloud’s own counts give to the same "
        "tracks. At 1.0× "
        f"something is as much at home here as there; at 3.0×, three times as much.{hidden}",
    )


def _tracks(facts: Facts) -> Element:
    note = f"People: of the {facts.readers:,} whose likes were read."
    return table("tracks", "Tracks most of them like", _COLUMNS, _liked(facts.tracks, facts), note)


_COLUMNS = (
    ("Track", "wide"),
    ("People", "number"),
    ("Share", "number"),
    ("Likes on SoundCloud", "number"),
    ("Against SoundCloud", "number"),
)


def _liked(tracks: Sequence[Liked], facts: Facts) -> list[tuple[Cell, ...]]:
    return [
        (
            by(t.title, t.url, t.artist, t.artist_url),
            t.likes,
            share(t.likes, facts.readers),
            _HIDDEN if t.likes_count is None else t.likes_count,
            times(ratio(t.likes, t.likes_count, facts.heard)),
        )
        for t in tracks
    ]


def _own_tracks(facts: Facts) -> Element | None:
    if not facts.own_tracks:
        return None
    note = f"Only tracks that at least {facts.own_least} of these people like: of fewer, one or two may be chance."
    return table(
        "own-tracks", "Tracks liked here far more than elsewhere", _COLUMNS, _liked(facts.own_tracks, facts), note
    )


def _artists(facts: Facts) -> Element:
    columns = (
        ("Artist", "wide"),
        ("People", "number"),
        ("Share", "number"),
        ("Likes", "number"),
        ("Tracks", "number"),
        ("Followers on SoundCloud", "number"),
        ("Against SoundCloud", "number"),
    )
    note = "Who uploaded the tracks. People: how many different ones like at least one of them."
    return table(
        "artists", "Artists whose tracks they like most", columns, [_artist(a, facts) for a in facts.artists], note
    )


def _artist(artist: Artist, facts: Facts) -> tuple[Cell, ...]:
    followers: Part = _HIDDEN if artist.followers_count is None else artist.followers_count
    against = times(ratio(artist.counted_likes, artist.likes_count, facts.heard))
    who = name(artist.artist, artist.artist_url, 60)
    return (who, artist.people, share(artist.people, facts.readers), artist.likes, artist.tracks, followers, against)


def _themes(identity: str, title: str, heading: str, themes: Sequence[Theme], facts: Facts) -> list[Element]:
    if not themes:
        return [paragraph(f"{title}: none of these tracks carries one.")]
    columns = (
        (heading, ""),
        ("Picture of both shares", "picture"),
        ("Share here", "number"),
        ("Share on SoundCloud", "number"),
        ("Against SoundCloud", "number"),
        ("Tracks", "number"),
    )
    heard = facts.heard
    shares = [(_part(t.counted_likes, heard.counted_likes), _part(t.likes_count, heard.likes_count)) for t in themes]
    most = max([*(s for pair in shares for s in pair if s is not None), 1e-9])
    rows: list[tuple[Cell, ...]] = [
        (
            el("bdi", shown(theme.name, 40)),
            two_shares(here or 0.0, there, most),
            share(theme.counted_likes, heard.counted_likes),
            share(theme.likes_count, heard.likes_count) if theme.likes_count else _HIDDEN,
            times(ratio(theme.counted_likes, theme.likes_count, heard)),
            theme.tracks,
        )
        for theme, (here, there) in zip(themes, shares, strict=True)
    ]
    note = (
        "Spellings are brought together. A track may have several tags."
        if identity == "tags"
        else "As the uploader typed it; spellings are brought together."
    )
    return [table(identity, f"{title} of what they like", columns, rows, note)]


def _part(part: int | None, whole: int) -> float | None:
    return None if part is None or not whole else part / whole
