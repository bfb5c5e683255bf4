"""The colours of the page, for light and for dark, and what they are for. Pure.

Text has a contrast of at least 4.5 to what it stands on, lines and shapes that carry meaning at least 3 (WCAG 2.2,
1.4.3 and 1.4.11); a test computes it for both themes.
"""

from __future__ import annotations

LIGHT = {
    "paper": "#fbfaf7",
    "card": "#ffffff",
    "ink": "#1d1c1a",
    "soft": "#5d5a54",
    "rule": "#dedad2",
    "link": "#9a3412",
    "focus": "#1d4ed8",
    "here": "#c2410c",
    "there": "#64748b",
    "good": "#3f7d5c",
    "cut": "#a16207",
    "bad": "#b4232c",
    "open": "#78716c",
    "edge": "#b9b3a6",
    "plain": "#736d62",
    "artist1": "#c2410c",
    "artist2": "#1d6fa5",
    "artist3": "#3f7d4e",
    "artist4": "#7c4dad",
    "artist5": "#8f6408",
    "artist6": "#b0306a",
}

DARK = {
    "paper": "#16171a",
    "card": "#1d1f23",
    "ink": "#eceae5",
    "soft": "#a9a69e",
    "rule": "#34363b",
    "link": "#fdac7a",
    "focus": "#93c5fd",
    "here": "#fb8c4b",
    "there": "#94a3b8",
    "good": "#69b88d",
    "cut": "#d9a441",
    "bad": "#f2777e",
    "open": "#a8a29e",
    "edge": "#55585f",
    "plain": "#8f8b82",
    "artist1": "#fb8c4b",
    "artist2": "#5fb3e6",
    "artist3": "#6cc384",
    "artist4": "#b794e6",
    "artist5": "#dfb23c",
    "artist6": "#ee7fb0",
}

TEXT = ("ink", "soft", "link")
SHAPES = (
    "focus",
    "here",
    "there",
    "good",
    "cut",
    "bad",
    "open",
    "plain",
    *(f"artist{n}" for n in range(1, 7)),
)
ON = ("paper", "card")
ARTISTS = 6


def variables(colours: dict[str, str]) -> str:
    """Write a palette as CSS variables."""
    return "".join(f"--{name}:{value};" for name, value in colours.items())
