"""Who was asked: how people were chosen around each seed, and what that allows one to say. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harvest.report.facts import Facts
from harvest.report.parts import SPANNED, Cell, paragraph, section, table
from harvest.report.rows import Level, SampleRow, Seed
from harvest.report.texts import count, listed, shown
from harvest.report.tree import Element, Part, el

_SHOWN = 10  # seeds with notes of their own
_ORDERS = {
    "newest": "in the order of the list, newest first",
    "random": "by lot",
    "popular": "by followers, most first",
    "least-known": "by followers, fewest first",
}


def sampling(facts: Facts) -> Element:
    """Write the section."""
    content: list[Part] = []
    sampled = [seed for seed in facts.seeds if seed.id in facts.samples]
    for seed in sampled[:_SHOWN]:
        content += _notes(seed, facts.samples[seed.id], alone=len(facts.seeds) == 1)
    if len(sampled) > _SHOWN:
        content.append(paragraph(f"The first {_SHOWN} of {len(sampled):,} seeds are described."))
    if not sampled:
        content.append(paragraph("Nobody has been listed around a seed yet."))
    else:
        content.append(
            paragraph(
                "The population is everybody listed around the seed, no more: who listens without liking does not "
                "appear. People who "
                "were cut off by a cap, or did not answer, are not missing by chance."
            )
        )
    if len(facts.seeds) > 1 or any(level.depth > 1 for level in facts.levels):
        content.append(_levels(facts))
    return section("sample", "Who was asked", *content)


def _notes(seed: Seed, rows: Sequence[SampleRow], *, alone: bool) -> list[Part]:
    notes: list[Part] = [] if alone else [el("h3", "Around “", el("bdi", shown(seed.name, 60)), "”")]
    notes.append(paragraph(*_told(seed, rows)))
    comparison = _comparison(rows)
    if comparison:
        notes.append(paragraph(comparison))
    notes.append(_table(seed, rows))
    return notes


def _told(seed: Seed, rows: Sequence[SampleRow]) -> list[Part]:
    everybody = _people(rows)
    chosen = [row for row in rows if row.chosen]
    followed = _people(chosen)
    if not followed:
        return [
            f"{count(everybody, 'person is', 'people are')} listed. Nobody was followed, so nobody was asked what "
            "they like."
        ]
    if followed == everybody:
        how = f"All {everybody:,} people listed were followed, so nothing depends on who was chosen."
    else:
        were = "was" if followed == 1 else "were"
        how = f"Of {everybody:,} people listed, {followed:,} {were} followed{_choice(seed, chosen)}"
    more = "" if seed.state == "drained" else " This harvest is not finished: more may be listed and followed."
    return [how, " ", _answers(chosen), more]


def _choice(seed: Seed, chosen: Sequence[SampleRow]) -> str:
    """Say how they were chosen, and whether chance allows estimates; some may be followed for another track's sake."""
    order, drawn = _order(seed), sum(row.with_chance for row in chosen)
    others = _people(chosen) - drawn
    if not drawn:
        bias = " The newest likers may be unlike the others." if order == "newest" else ""
        rule = _ORDERS.get(order, "by a rule")
        return f", chosen {rule}. A rule chose, not chance, so they do not stand for the rest.{bias}"
    least = min(row.least_chance for row in chosen if row.least_chance is not None)
    most = max(row.most_chance for row in chosen if row.most_chance is not None)
    chance = f"{least:.3g}" if round(least, 6) == round(most, 6) else f"{least:.3g} to {most:.3g}"
    if not others:
        return f", drawn by lot with a chance of {chance} each; estimates divide by it."
    return (
        f". Of these, {drawn:,} were drawn by lot with a chance of {chance} each; estimates divide by it. The other "
        f"{others:,} were followed for the sake of other tracks, or by an earlier choice."
    )


def _answers(chosen: Sequence[SampleRow]) -> str:
    def of(answer: str, censored: int = 0) -> int:
        return _people([row for row in chosen if row.answer == answer and row.censored == censored])

    told = [f"{of('answered'):,} answered"]
    told += [f"{of('answered', 1):,} reached the cap and like more than was read"] if of("answered", 1) else []
    told += [f"{of('unanswered'):,} did not answer (gone, forbidden or failed)"] if of("unanswered") else []
    told += [f"{of('not yet'):,} are still to be read"] if of("not yet") else []
    return f"{listed(told)}."


def _comparison(rows: Sequence[SampleRow]) -> str | None:
    """Say how the chosen differ from the others by what is known of both."""
    here, there = _mean([r for r in rows if r.chosen]), _mean([r for r in rows if not r.chosen])
    if here is None or there is None:
        return None
    return (
        f"By their profiles the people followed give {here:,.0f} likes each on average, those not asked {there:,.0f}."
    )


def _mean(rows: Sequence[SampleRow]) -> float | None:
    claims = sum(row.claims for row in rows)
    return (
        sum(row.mean_claimed * row.claims for row in rows if row.mean_claimed is not None) / claims if claims else None
    )


def _table(seed: Seed, rows: Sequence[SampleRow]) -> Element:
    columns = (("People", "wide"), ("How many", "number"), ("Likes by their profile, mean", "number"))
    cells: list[tuple[Cell, ...]] = []
    for row in rows:
        what = {
            "answered": "followed, and answered",
            "not yet": "followed, not read yet",
            "unanswered": "followed, no answer",
        }
        word = what.get(row.answer, "not asked") if row.chosen else "listed, not asked"
        mean: Part = "not known" if row.mean_claimed is None else f"{row.mean_claimed:,.0f}"
        cells.append((f"{word}{', cut by the cap' if row.censored else ''}", row.people, mean))
    cells.append(("all listed", _people(rows), "not known" if _mean(rows) is None else f"{_mean(rows):,.0f}"))
    return table(f"sample-{seed.id}", "Everybody listed around the seed", columns, cells)


def _levels(facts: Facts) -> Element:
    names = {seed.id: shown(seed.name or seed.seed_url, 40) for seed in facts.seeds}
    titles = {row.kind: row.title for row in facts.ledger}
    columns = (
        ("Seed", "wide"),
        ("Level", "number"),
        ("Lists", ""),
        ("How many", "number"),
        ("Whole", "number"),
        ("Capped", "number"),
        ("Short", "number"),
        ("No answer", "number"),
        ("Broken", "number"),
        ("Open", "number"),
    )
    rows: list[tuple[Cell, ...]] = []
    for seed in dict.fromkeys(level.harvest_id for level in facts.levels):
        own = [level for level in facts.levels if level.harvest_id == seed]
        heading = el("th", el("bdi", names[seed]), scope="rowgroup", rowspan=len(own), class_="wide")
        rows += [(heading if not place else SPANNED, *_level(level, titles)) for place, level in enumerate(own)]
    note = "A list that two seeds want is read once and stands under both."
    return table("levels", "What each seed wanted, level by level", columns, rows, note, names=2)


def _level(level: Level, titles: dict[str, str]) -> tuple[Cell, ...]:
    numbers = (level.lists, level.complete, level.capped, level.short, level.unanswered, level.broken, level.open)
    return (level.depth, titles.get(level.kind, level.kind), *numbers)


def _people(rows: Sequence[SampleRow]) -> int:
    return sum(row.people for row in rows)


def _order(seed: Seed) -> str:
    return str(json.loads(seed.options).get("order", "newest"))
