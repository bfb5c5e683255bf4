"""How complete the file is: lists by kind and outcome, claimed against fetched. Pure."""

from __future__ import annotations

from harvest.report.facts import Facts
from harvest.report.parts import SPANNED, Cell, key, paragraph, section, table
from harvest.report.pictures import stacked
from harvest.report.rows import ListsEnded
from harvest.report.texts import count, listed, share
from harvest.report.tree import Element, Part, el

# Outcome → (colour, what it means), in the order in which they are shown; the last two are open lists.
OUTCOMES = {
    "complete": ("good", "the service ended it, and its own count does not contradict"),
    "capped": ("cut", "cut by a cap of this crawl; there is more"),
    "short": ("cut", "ended with clearly fewer than claimed"),
    "loop": ("bad", "the service led in circles; what came is kept"),
    "gone": ("bad", "deleted, private or hidden"),
    "forbidden": ("bad", "the service does not let it be read"),
    "unreadable": ("bad", "a reply of unknown shape"),
    "failed": ("bad", "given up after errors"),
    "doing": ("open", "being read"),
    "todo": ("open", "not begun, or to go on"),
}
_OPEN = ("doing", "todo")
_WORDS = {"doing": "open, begun", "todo": "open"}


def verdict(facts: Facts) -> list[str]:
    """Say in sentences how far the file is to be trusted: who was listed and followed, what is whole, what is open."""
    lists = {row.kind: [r for r in facts.ledger if r.kind == row.kind] for row in facts.ledger if row.outcome}
    told = []
    followed, likers = lists.get("user_likes", []), lists.get("track_likers", [])
    if likers:
        told.append(f"{_listed(likers, lists.get('track_reposters', []))}.")
    if followed:
        asked, whole = sum(row.lists for row in followed), _of(followed, "complete")
        told.append(
            f"{count(asked, 'person was', 'people were')} followed into their likes; "
            f"{_whole(asked, whole)}{_others(followed)}."
        )
    elif likers:
        told.append("Nobody was followed into their likes.")
    still_open = sum(row.lists for row in facts.ledger if row.outcome in _OPEN)
    if still_open:
        told.append(
            f"The harvest is not finished: {count(still_open, 'list is', 'lists are')} still open, and these numbers "
            "will grow."
        )
    elif not facts.ledger or not told:
        told.append("No list has been read yet.")
    return told


def _listed(likers: list[ListsEnded], reposters: list[ListsEnded]) -> str:
    tracks = sum(row.lists for row in likers)
    told = f"{_of_claimed(likers)} likers {'of the seed' if tracks == 1 else f'around {tracks:,} tracks'}"
    if reposters:
        told += f" and {_of_claimed(reposters)} reposters"
    return f"{told} are listed"


def _of_claimed(rows: list[ListsEnded]) -> str:
    """Say how many of how many; without the latter where the service did not tell it of each list."""
    collected, claimed = sum(row.collected for row in rows), sum(row.claimed or 0 for row in rows)
    return f"{collected:,}" if any(row.without_claim for row in rows) else f"{collected:,} of {claimed:,}"


def _whole(asked: int, whole: int) -> str:
    if whole == asked:
        return "their list is whole" if asked == 1 else "all of these lists are whole"
    return f"{whole:,} of these lists {'is' if whole == 1 else 'are'} whole"


def _others(rows: list[ListsEnded]) -> str:
    words = {"capped": "cut by a cap", "short": "shorter than claimed", "loop": "in circles"}
    told = [f"{_of(rows, outcome):,} {word}" for outcome, word in words.items() if _of(rows, outcome)]
    unread = sum(_of(rows, outcome) for outcome in ("gone", "forbidden", "unreadable", "failed"))
    if unread:
        told.append(f"{unread:,} without an answer")
    return f" ({listed(told)})" if told else ""


def _of(rows: list[ListsEnded], outcome: str) -> int:
    return sum(row.lists for row in rows if row.outcome == outcome)


def completeness(facts: Facts) -> Element:
    """Write the section."""
    asked = [row for row in facts.ledger if row.outcome]
    not_asked = list(dict.fromkeys(row.title for row in facts.ledger if not row.outcome))
    content: list[Part] = []
    if asked:
        content.append(
            paragraph(
                "A list is who liked one track, or what one person likes. The service says elsewhere how long each "
                "of them "
                "should be: that is what is claimed. What it claims of a person’s likes includes liked playlists, "
                "which these lists do not, so a "
                "small gap is normal."
            )
        )
        content.append(
            key(("good", "whole"), ("cut", "capped or short"), ("bad", "not read to its end"), ("open", "still open"))
        )
        content += [part for kind in dict.fromkeys(row.kind for row in asked) for part in _kind(kind, facts.ledger)]
        content.append(_table(asked))
    if not_asked:
        words = paragraph(el("strong", "Not asked"), ", so nothing is known of them here: ", f"{listed(not_asked)}.")
        content.append(words)
    return section("complete", "How complete it is", *content)


def _kind(kind: str, ledger: list[ListsEnded]) -> list[Element]:
    rows = sorted((row for row in ledger if row.kind == kind), key=_place)
    parts = [(_word(row.outcome), row.lists, _colour(row.outcome)) for row in rows]
    lists = sum(row.lists for row in rows)
    bar = stacked(f"lists-{kind.replace('_', '-')}", f"{rows[0].title}: lists by how they ended", parts)
    title = f"{_capital(rows[0].title)}: {count(lists, 'list')}, {_fetched(rows)}"
    return [el("h3", title), bar]


def _fetched(rows: list[ListsEnded]) -> str:
    claimed = sum(row.claimed or 0 for row in rows)
    of_claimed, collected = sum(row.collected_of_claimed for row in rows), sum(row.collected for row in rows)
    if not claimed:
        return f"{collected:,} fetched, and the service did not say how many there are"
    more = f", and {collected - of_claimed:,} of lists without a claim" if collected > of_claimed else ""
    return f"{of_claimed:,} of {claimed:,} claimed ({share(of_claimed, claimed)}) fetched{more}"


def _table(asked: list[ListsEnded]) -> Element:
    columns = [
        ("List", "wide"),
        ("How it ended", ""),
        ("Lists", "number"),
        ("Claimed", "number"),
        ("Fetched", "number"),
        ("Missing", "number"),
    ]
    rows: list[tuple[Cell, ...]] = []
    for kind in dict.fromkeys(row.kind for row in asked):
        own = sorted((row for row in asked if row.kind == kind), key=_place)
        heading = el("th", _capital(own[0].title), scope="rowgroup", rowspan=len(own), class_="wide")
        rows += [(heading if not place else SPANNED, *_cells(row)) for place, row in enumerate(own)]
    without = sum(row.without_claim for row in asked)
    note = "Missing: claimed and not fetched, list by list; a list that brought more than claimed misses nothing."
    if without:
        note += f" Of {count(without, 'list')} the service claimed nothing."
    return table("ledger", "Every list that was asked for, by kind and outcome", columns, rows, note, names=1)


def _cells(row: ListsEnded) -> tuple[Cell, ...]:
    claimed: Part = "not said" if row.claimed is None else row.claimed
    missing: Part = "unknown" if row.claimed is None else row.missing
    ended = (_word(row.outcome), " ", el("span", OUTCOMES[str(row.outcome)][1], class_="note"))
    return (ended, row.lists, claimed, row.collected, missing)


def _place(row: ListsEnded) -> int:
    return list(OUTCOMES).index(str(row.outcome))


def _colour(outcome: str | None) -> str:
    return OUTCOMES[str(outcome)][0]


def _word(outcome: str | None) -> str:
    return _WORDS.get(str(outcome), str(outcome))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
