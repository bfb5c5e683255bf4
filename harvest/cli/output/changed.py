"""Say in words how much has changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping

# What is said of one change and of many, in the order in which it is told.
WHAT = {
    "came": ("came", "came"),
    "back": ("came back", "came back"),
    "found": ("was found, and may be old", "were found, and may be old"),
    "went": ("went", "went"),
    "renamed": ("person has another name", "people have another name"),
    "retitled": ("title has changed", "titles have changed"),
    "edited": ("playlist is in another order", "playlists are in another order"),
    "gone": ("person, track or playlist is gone", "people, tracks and playlists are gone"),
    "forbidden": ("may not be seen any more", "may not be seen any more"),
    "returned": ("person, track or playlist is back", "people, tracks and playlists are back"),
    "emptied": ("is gone, and empty here", "are gone, and empty here"),
    "forgotten": ("speaks of what was forgotten", "speak of what was forgotten"),
    "moved": ("count has moved by more than a tenth", "counts have moved by more than a tenth"),
}
WHY = {"withdrawn": "withdrawn", "gone": "gone with what they led to", "unknown": "for reasons unknown"}


def summed_up(changes: Mapping[str, int], reasons: Mapping[str, int]) -> list[str]:
    """Write a line for each kind of change there was."""
    lines = []
    for what, (one, many) in WHAT.items():
        n = changes.get(what, 0)
        if not n:
            continue
        words = one if n == 1 else many
        why = ", ".join(f"{reasons[reason]:,} {said}" for reason, said in WHY.items() if reasons.get(reason))
        lines.append(f"  {n:>9,}  {words}{f' ({why})' if what == 'went' and why else ''}")
    return lines or ["Nothing has changed."]
