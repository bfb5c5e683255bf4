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
    "group1": "#c2460d",
    "group2": "#037ac0",
    "group3": "#118d29",
    "group4": "#9351bd",
    "group5": "#936e03",
    "group6": "#be3d70",
    "group7": "#025956",
    "group8": "#373ba7",
    "group9": "#4c5202",
    "group10": "#930123",
    "group11": "#733e01",
    "group12": "#831169",
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
    "group1": "#ff8d65",
    "group2": "#63b9fe",
    "group3": "#61cc69",
    "group4": "#d190ff",
    "group5": "#dea80b",
    "group6": "#ff83ad",
    "group7": "#04a19b",
    "group8": "#707ff1",
    "group9": "#8a9504",
    "group10": "#e05860",
    "group11": "#cc7200",
    "group12": "#cd5cac",
}

# Of groups that stand side by side, the largest first: hues far apart, the second six darker than the first.
GROUPS = tuple(f"group{n}" for n in range(1, 13))
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
    *GROUPS,
)
ON = ("paper", "card")


def variables(colours: dict[str, str]) -> str:
    """Write a palette as CSS variables."""
    return "".join(f"--{name}:{value};" for name, value in colours.items())
