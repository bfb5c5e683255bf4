"""Tables: what a cell can be."""

from __future__ import annotations

from harvest.report.parts import SPANNED, table
from harvest.report.tree import el


def test_a_cell_that_is_spanned_is_left_out_and_an_unknown_one_keeps_its_place():
    made = table(
        "t",
        "caption",
        (("Seed", ""), ("Lists", ""), ("Claimed", "number"), ("Open", "number")),
        [(el("th", "a", rowspan=2), "likes", None, 3), (SPANNED, "reposts", 4, 0)],
        names=1,
    )
    body = next(made.iter("tbody"))
    assert [[cell.text for cell in row] for row in body] == [["a", "likes", "–", "3"], ["reposts", "4", "0"]]
