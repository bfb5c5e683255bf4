"""Say in words how much has changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping

WHAT = {  # of `changes`, in the order in which it is told, with what is said of so many
    "came": "came",
    "back": "came back",
    "found": "were found",
    "went": "went",
    "renamed": "people have another name",
    "retitled": "titles have changed",
    "edited": "playlists are in another order",
    "gone": "people, tracks and playlists are gone",
    "forbidden": "may not be seen any more",
    "returned": "people, tracks and playlists are back",
    "moved": "counts have moved by more than a tenth",
}
WHY = {"withdrawn": "withdrawn", "gone": "gone with what they led to", "unknown": "for reasons unknown"}


def summed_up(changes: Mapping[str, int], reasons: Mapping[str, int]) -> list[str]:
    """Write a line for each kind of change there was."""
    lines = []
    for what, words in WHAT.items():
        n = changes.get(what, 0)
        if not n:
            continue
        why = ", ".join(f"{reasons[reason]:,} {said}" for reason, said in WHY.items() if reasons.get(reason))
        lines.append(f"  {n:>9,}  {words}{f' ({why})' if what == 'went' and why else ''}")
    return lines or ["Nothing has changed."]
