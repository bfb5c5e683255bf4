"""How likes are spread: over people, and over tracks, as two curves. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harvest.report.curves import middle, reaching
from harvest.report.facts import Facts
from harvest.report.parts import Cell, key, paragraph, section, table
from harvest.report.pictures import Curve, curves
from harvest.report.rows import Bucket
from harvest.report.taste import aside
from harvest.report.texts import count, share
from harvest.report.tree import Element, Part, el

_MARKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000)


def spread(facts: Facts) -> Element:
    """Write the section."""
    content: list[Part] = [
        paragraph(
            "Both axes are logarithmic. A point says which share has so much or more; a straight line downwards "
            "means that a few "
            "have very many and most have few."
        )
    ]
    if _any(facts.likes_per_person):
        content.append(_people(facts))
    if _any(facts.likers_per_track):
        content.append(_tracks(facts))
    if len(content) == 1:
        content = [paragraph("There are no likes to count yet.")]
    return section("spread", "How likes are spread", *content)


def _any(buckets: Sequence[Bucket]) -> bool:
    return any(bucket.value for bucket in buckets)


def _people(facts: Facts) -> Element:
    here, there = facts.likes_per_person, facts.likes_claimed
    capped = sum(row.lists for row in facts.ledger if row.kind == "user_likes" and row.outcome == "capped")
    people = sum(bucket.n for bucket in here)
    told = f"Of {count(people, 'person', 'people')} whose lists have ended, half have {_about(here)} or more likes here"
    if _any(there):
        told += f"; by their profiles, {_about(there)} or more"
    told += "."
    if capped:
        told += f" {count(capped, 'list was', 'lists were')} cut by a cap, where the curve falls off too early."
    return _pair(
        "people", "Likes per person", told, "likes", "people", ("read here", here), ("claimed by profiles", there)
    )


def _tracks(facts: Facts) -> Element:
    here, there = facts.likers_per_track, facts.likers_counted
    once = sum(bucket.n for bucket in here if bucket.value == 1)
    tracks = sum(bucket.n for bucket in here)
    told = (
        f"Of {count(tracks, 'track')} that somebody followed likes, {aside(facts)} aside, "
        f"{once:,} ({share(once, tracks)}) {'has' if once == 1 else 'have'} one liker here."
    )
    if _any(there):
        told += f" Half of them have {_about(there)} or more on SoundCloud."
    return _pair(
        "tracks",
        "Likers per track",
        told,
        "likers",
        "tracks",
        ("here", here),
        ("on SoundCloud, by its own counts", there),
    )


def _about(buckets: Sequence[Bucket]) -> str:
    value = middle(buckets)
    return f"{value:,}" if value < 100 else f"about {value:,}"


def _pair(
    what: str,
    title: str,
    told: str,
    unit: str,
    things: str,
    here: tuple[str, list[Bucket]],
    there: tuple[str, list[Bucket]],
) -> Element:
    lines = [Curve(here[0], reaching(here[1]), "here")]
    if _any(there[1]):
        lines.append(Curve(there[0], reaching(there[1]), "there", dashed=True))
    picture = curves(
        f"curve-{what}",
        f"{title}: share of {things} with so many or more",
        told,
        lines,
        f"{unit}, or more",
        f"share of {things}",
    )
    legend = key(*((f"{line.colour}{' dashed' if line.dashed else ''} line", line.name) for line in lines))
    return el(
        "div",
        el("h3", title),
        paragraph(told),
        el("div", el("figure", picture, el("figcaption", legend)), _table(what, unit, things, lines), class_="beside"),
    )


def _table(what: str, unit: str, things: str, lines: Sequence[Curve]) -> Element:
    most = max(line.points[-1][0] for line in lines)
    marks = [mark for mark in _MARKS if mark <= most]
    columns = [(f"{_capital(unit)}, or more", "number"), *((_capital(line.name), "number") for line in lines)]
    rows: list[tuple[Cell, ...]] = [(mark, *(_share_from(line, mark) for line in lines)) for mark in marks]
    # The first column names the rows although it is a number.
    return table(f"curve-{what}-table", f"Share of {things}", [(columns[0][0], "right"), *columns[1:]], rows)


def _share_from(line: Curve, mark: int) -> str:
    """Say which share has `mark` or more; exact, since the marks are among the values that buckets are cut to."""
    return share(next((reached for value, reached in line.points if value >= mark), 0.0), 1.0)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
