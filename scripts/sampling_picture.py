"""Draw docs/sampling.svg and print the table of docs/sampling.md: what a random sample says, and what the newest say.

Run it as `python scripts/sampling_picture.py` in an environment with the development dependencies; it crawls eighty
made-up worlds, which takes less than a minute, and always comes to the same picture.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import fmean

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from harvest.models import Limits  # noqa: E402 - found only now
from tests.estimating import CAP, Estimate, a_world, estimates  # noqa: E402

WORLDS = range(1, 41)
FOLLOWED = 70
TITLES = {"random": "--sample 70: drawn at random", "newest": "--max-users 70: the newest"}
LEFT, WIDTH, TOP, STEP, PANEL = 250, 560, 66, 11, 60
SPAN = 0.6  # the axis runs from -60 % to +60 %


def main(path: Path = ROOT / "docs" / "sampling.svg") -> None:
    """Crawl, draw, print."""
    found = {order: [one(number, order) for number in WORLDS] for order in TITLES}
    path.write_text(picture({order: [e["likes"] for e in found[order]] for order in TITLES}), encoding="utf-8")
    print("| | estimate less truth, on average | intervals that hold the truth |\n|---|---|---|")
    for question, title in (("likes", "likes per person"), ("genre", "share of the commonest genre")):
        for order in TITLES:
            chosen = [estimates_[question] for estimates_ in found[order]]
            error = fmean(e.mean / e.truth - 1 for e in chosen)
            print(f"| {title}, {order} | {error:+.0%} | {sum(e.covers for e in chosen)} of {len(chosen)} |")


def one(number: int, order: str) -> dict[str, Estimate]:
    """Crawl one world and estimate."""
    limits = Limits(max_users=FOLLOWED, max_user_likes=CAP, order=order, sample_seed=number)
    with tempfile.TemporaryDirectory() as folder:
        return estimates(Path(folder) / "t.db", a_world(number), limits)


def picture(found: dict[str, list[Estimate]]) -> str:
    """Draw one line per world: the interval relative to the truth, and the estimate on it."""
    height = TOP + len(found) * (len(WORLDS) * STEP + PANEL)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 40} {height}" font-family="sans-serif"'
        ' font-size="14">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="20" y="28" font-size="17">Mean number of likes per person: {len(WORLDS)} made-up worlds, 95 %'
        " intervals around the estimate</text>",
    ]
    for place, (order, chosen) in enumerate(found.items()):
        top = TOP + place * (len(WORLDS) * STEP + PANEL)
        parts += panel(TITLES[order], chosen, top)
    return "\n".join([*parts, "</svg>"]) + "\n"


def panel(title: str, chosen: list[Estimate], top: int) -> list[str]:
    """Draw the worlds of one way of choosing."""
    bottom = top + len(chosen) * STEP
    hits = sum(e.covers for e in chosen)
    parts = [
        f'<text x="20" y="{top + 20}">{title}</text>',
        f'<text x="20" y="{top + 42}" fill="#555555">{hits} of {len(chosen)} hold the truth</text>',
        f'<line x1="{across(0)}" x2="{across(0)}" y1="{top}" y2="{bottom}" stroke="#222222"/>',
    ]
    for share in (-0.5, -0.25, 0, 0.25, 0.5):
        name = "truth" if share == 0 else f"{share:+.0%}"
        parts.append(f'<text x="{across(share)}" y="{bottom + 20}" text-anchor="middle" fill="#555555">{name}</text>')
    for number, e in enumerate(chosen):
        y, colour = top + number * STEP + STEP / 2, "#2a7ab0" if e.covers else "#c0392b"
        low, mean, high = (across(value / e.truth - 1) for value in (e.low, e.mean, e.high))
        parts.append(f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<circle cx="{mean}" cy="{y}" r="3" fill="{colour}"/>')
    return parts


def across(share: float) -> float:
    """Give the place on the axis of a share above or below the truth."""
    return round(LEFT + WIDTH / 2 * (1 + max(-SPAN, min(SPAN, share)) / SPAN), 1)


if __name__ == "__main__":
    main()
