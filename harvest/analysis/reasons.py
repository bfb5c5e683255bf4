"""Say in a sentence why an analysis found nothing. Reads only."""

from __future__ import annotations

import sqlite3

from harvest.analysis.eligible_lists import LEFT_OUT
from harvest.analysis.methods import Choices

AGAINST_CHANCE = (
    "People were chosen because they like this track, so nothing can be said against chance. "
    "--method colike_cosine or colike_jaccard can, by SoundCloud's own counts."
)
_HOW = "--frames seeds leaves out the seeds alone, --frames none nothing."
NOT_COUNTED = (
    "People were chosen because they like this track, and SoundCloud shows no count of its likes to correct for that: "
    "--frames none compares it as it stands."
)

CHOSEN = "people were chosen for liking one of them, so nothing can be said against chance"


def like_both(common: int, times: float | None) -> str:
    """Say how many people like two tracks, and how many times more these are than chance would give."""
    return f"{common:,} people like both; {_against_chance(times)}"


def _against_chance(times: float | None) -> str:
    if times is None:
        return "how many by chance is not known"
    if times >= 1.05:
        return f"{times:,.0f} times more than chance" if times >= 9.5 else f"{times:.1f} times more than chance"
    return "as many as by chance" if times > 0.95 else f"fewer than by chance ({times:.2f} times)"


def frames_alone(lead: str) -> str:
    """Say that only frames were found, which do not count; `lead` begins the sentence."""
    return f"{lead} people were chosen for liking these, so they say nothing of taste. {_HOW}"


def frames_left_out(frames: int, liked: int) -> str:
    """Say that what is left beside frames joins no two people or artists."""
    return (
        f"People were chosen for liking {frames:,} of the {liked:,} tracks, which do not count, and the others join no "
        f"two people or artists. {_HOW}"
    )


def nobody_likes(connection: sqlite3.Connection, choices: Choices) -> str:
    """Say why a track has no likes that count."""
    left_out = dict(connection.execute(LEFT_OUT, {"incomplete": choices.include_incomplete}).fetchall())
    if not left_out:
        return "No person whose likes were read likes it."
    said = ", ".join(f"{n:,} {outcome}" for outcome, n in left_out.items())
    return f"No person with a complete list of likes likes it; left out are {said}."
