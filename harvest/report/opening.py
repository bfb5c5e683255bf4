"""The top of the page: what this is, the numbers, what they come to in two or three sentences. Pure."""

from __future__ import annotations

from harvest.report.completeness import verdict
from harvest.report.facts import Facts
from harvest.report.parts import name, paragraph
from harvest.report.rows import Seed
from harvest.report.texts import count, cut, day, listed, shown
from harvest.report.tree import Element, Part, el

_SHOWN_SEEDS = 3


def title(facts: Facts) -> str:
    """Name the report, for the tab of a browser."""
    named = [f"“{_called(seed)}”" for seed in _named(facts)]
    if not named:
        return "An empty harvest"
    if len(named) > _SHOWN_SEEDS:
        return f"The listening graph around {len(named):,} seeds"
    return f"The listening graph around {listed(named)}"


def opening(facts: Facts) -> Element:
    """Open the page."""
    return el(
        "header",
        paragraph("Harvest report", el("span", cut(shown(facts.file_name), 60), class_="file"), class_="eyebrow"),
        el("h1", *_heading(facts)),
        *_by_whom(facts),
        *_invented(facts),
        _numbers(facts),
        *(paragraph(*sentence, class_="lead") for sentence in _sentences(facts)),
    )


def _named(facts: Facts) -> list[Seed]:
    """Give the seeds that were looked up, or what was asked for where none was."""
    return facts.found_seeds or facts.seeds


def _called(seed: Seed) -> str:
    return shown(seed.name, 60) if seed.name else cut(shown(seed.seed_url), 60)


def _heading(facts: Facts) -> list[Part]:
    seeds = _named(facts)
    if not seeds:
        return ["An empty harvest"]
    if len(seeds) > _SHOWN_SEEDS:
        return [f"The listening graph around {len(seeds):,} seeds"]
    parts: list[Part] = ["The listening graph around "]
    for place, seed in enumerate(seeds):
        joint = "" if not place else " and " if place == len(seeds) - 1 else ", "
        parts += [joint, "“", el("bdi", _called(seed)), "”"]
    return parts


def _by_whom(facts: Facts) -> list[Element]:
    if len(facts.seeds) != 1 or not facts.seeds[0].artist:
        return []
    seed = facts.seeds[0]
    what = {"track": "A track", "playlist": "A playlist"}.get(seed.seed_kind, "Something")
    return [
        paragraph(
            what,
            " by ",
            name(seed.artist, seed.artist_url, 60),
            " on SoundCloud: ",
            name(seed.name, seed.url, 60),
            class_="byline",
        )
    ]


def _invented(facts: Facts) -> list[Element]:
    if not facts.simulated:
        return []
    return [paragraph("These data are invented. They come from a simulated SoundCloud.", class_="notice")]


def _numbers(facts: Facts) -> Element:
    totals = facts.totals
    ended = sum(row.lists for row in facts.ledger if row.outcome not in (None, "todo", "doing"))
    lists = sum(row.lists for row in facts.ledger)
    told = [
        ("people", totals.users, "accounts seen: listeners and uploaders"),
        ("tracks", totals.tracks, "tracks seen"),
        ("likes", totals.likes, "one per person and track"),
        ("reposts", totals.reposts, "one per person and track"),
        ("lists read", ended, f"of {lists:,} wanted"),
    ]
    return el(
        "dl",
        *(
            el("div", el("dt", word), el("dd", number, class_="figure"), el("dd", note, class_="note"))
            for word, number, note in told
        ),
        class_="numbers",
    )


def _sentences(facts: Facts) -> list[tuple[Part, ...]]:
    if not facts.seeds:
        return [
            (
                "This file holds no harvest yet. Run ",
                el("code", "harvest URL"),
                " and make the report again.",
            )
        ]
    first, last = day(facts.runs_together.first_at), day(facts.last_at)
    when = f"on {first}" if first == last else f"from {first} to {last}"
    pages = (
        f"Collected {when}, in {count(facts.totals.pages, 'page')} of replies."
        if facts.last_at
        else "Nothing has been fetched yet."
    )
    return [(" ".join([*verdict(facts), pages]),)]
