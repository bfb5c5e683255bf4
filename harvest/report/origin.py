"""What failed, and where all of it comes from: seeds, runs, versions, terms. Pure."""

from __future__ import annotations

import json

from harvest.report.facts import RUNS, Facts
from harvest.report.parts import Cell, by, name, paragraph, section, table
from harvest.report.rows import Run, Seed
from harvest.report.texts import count, cut, listed, minute, shown
from harvest.report.tree import Element, Part, el

_TERMS = "https://developers.soundcloud.com/docs/api/terms-of-use"
_STATES = {"running": "running", "paused": "stopped, to go on", "drained": "done", "failed": "failed"}
_SEEDS = 50


_UNREAD = ("gone", "forbidden", "unreadable", "failed", "loop")


def failures(facts: Facts) -> Element:
    """Write the section on what failed."""
    content: list[Part] = [paragraph(_how_much_failed(facts))]
    if facts.retryable:
        again = "One of them may be read" if facts.retryable == 1 else f"{facts.retryable:,} of them may be read"
        content.append(paragraph(f"{again} when asked again: ", el("code", "harvest retry"), "."))
    if facts.failures:
        content.append(_failure_table(facts))
    loops = sum(row.lists for row in facts.ledger if row.outcome == "loop")
    if loops:
        words = "list led in circles and was stopped" if loops == 1 else "lists led in circles and were stopped"
        content.append(paragraph(f"{loops:,} {words}; what came is kept."))
    return section("failed", "What failed", *content)


def _how_much_failed(facts: Facts) -> str:
    asked = sum(row.lists for row in facts.ledger)
    unread = sum(row.lists for row in facts.ledger if row.outcome in _UNREAD)
    if unread:
        return f"{unread:,} of {count(asked, 'list')} could not be read, or not to the end."
    if facts.failures:
        return "There was trouble on the way, but no list was lost."
    return "Nothing failed." if asked else "Nothing was asked, so nothing failed."


def _failure_table(facts: Facts) -> Element:
    columns = (
        ("Lists", "wide"),
        ("Reason", ""),
        ("Status", "number"),
        ("How many", "number"),
        ("Tries", "number"),
        ("Now", ""),
        ("Last", ""),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            row.title,
            shown(row.failure_class.replace("_", " "), 40),
            str(row.status) if row.status else "no answer",
            row.lists,
            row.attempts,
            "read after all" if row.resolved else row.outcome,
            minute(row.last_at),
        )
        for row in facts.failures
    ]
    note = "A list that failed in two ways stands in two rows. Whose lists these are stays unsaid."
    return table("failures", "What went wrong, by kind of list and reason", columns, rows, note)


def origin(facts: Facts) -> Element:
    """Write the section on where it comes from."""
    return section(
        "origin", "Where it comes from", _told(facts), *_seeds(facts), *_runs(facts), *_requests(facts), *_terms()
    )


def _told(facts: Facts) -> Element:
    together = facts.runs_together
    if not together.runs:
        return paragraph("Nothing has been crawled into this file.")
    versions = sorted({run.version for run in facts.runs})
    waited = together.waited_ms / 60_000
    source = "a simulated SoundCloud; the data are invented" if facts.simulated else shown(together.api_url, 60)
    if together.services > 1:
        source += f" and {together.services - 1} more"
    return paragraph(
        f"{count(together.runs, 'run')} of harvest {listed([shown(version, 20) for version in versions])}, the first "
        f"begun {minute(together.first_at)}, "
        f"the last page fetched {minute(facts.last_at)}, from {source}. ",
        f"{waited:,.0f} minutes were spent waiting because the service asked for it. " if waited >= 1 else "",
        "The service gives no times for likes: nothing here says when somebody liked something.",
    )


def _seeds(facts: Facts) -> list[Element]:
    if not facts.seeds:
        return []
    columns = (("Seed", "wide"), ("Kind", ""), ("State", ""), ("Asked with", "wide"), ("Begun", ""), ("Ended", ""))
    rows = [_seed(seed) for seed in facts.seeds[:_SEEDS]]
    note = f"The first {_SEEDS} of {len(facts.seeds):,}." if len(facts.seeds) > _SEEDS else None
    return [table("seeds", "Seeds", columns, rows, note)]


def _seed(seed: Seed) -> tuple[Cell, ...]:
    what: Cell = (
        by(seed.name, seed.url, seed.artist, seed.artist_url)
        if seed.artist
        else name(seed.name or seed.seed_url, seed.url)
    )
    state = _STATES.get(seed.state, seed.state) + (f": {cut(shown(seed.reason, 120), 120)}" if seed.reason else "")
    wanted = ", ".join(
        f"{option.replace('_', ' ')} {_option(value)}" for option, value in sorted(json.loads(seed.options).items())
    )
    return (what, seed.seed_kind, state, wanted, minute(seed.started_at), minute(seed.finished_at))


def _option(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else shown(str(value), 40)


def _runs(facts: Facts) -> list[Element]:
    if not facts.runs:
        return []
    columns = (
        ("Run", "number"),
        ("Begun", "name"),
        ("Ended", ""),
        ("Version", ""),
        ("Signed in by", ""),
        ("Ended by", ""),
        ("Requests", "number"),
    )
    note = f"The last {RUNS} of {facts.runs_together.runs:,}." if facts.runs_together.runs > RUNS else None
    return [table("runs", "Runs, newest first", columns, [_run(run) for run in facts.runs], note)]


def _run(run: Run) -> tuple[Cell, ...]:
    ended = minute(run.ended_at) if run.ended_at else "killed, or still running"
    signed = shown(run.credential_kind.replace("_", " "), 30)
    return (
        run.id,
        minute(run.started_at),
        ended,
        shown(run.version, 20),
        signed,
        shown(run.stop_reason, 40) if run.stop_reason else "–",
        run.requests,
    )


def _requests(facts: Facts) -> list[Element]:
    if not facts.requests:
        return []
    told = [f"{row.n:,} with {f'status {row.status}' if row.status else 'no answer'}" for row in facts.requests]
    whole = sum(row.n for row in facts.requests)
    return [paragraph(f"{count(whole, 'request')} left the machine, retries and sign-in included: {listed(told)}.")]


def _terms() -> list[Element]:
    return [
        el("h3", "Credit and terms"),
        paragraph(
            "Titles, names and counts are SoundCloud’s and its uploaders’; every title and artist links to its page "
            "there. People who "
            "like and repost are counted and never named on this page."
        ),
        paragraph(
            "SoundCloud’s ",
            el("a", "API terms", href=_TERMS, rel="noopener noreferrer"),
            " restrict storing and showing what the API returns, and forbid feeding it to AI. Settle whether you may "
            "before you pass this page on.",
        ),
    ]
