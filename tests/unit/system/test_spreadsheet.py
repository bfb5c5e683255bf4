"""A cell that a spreadsheet would run becomes text."""

from __future__ import annotations

import pytest

from harvest.system.spreadsheet import without_formula


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "  =1", "＝1", "\n=1"])
def test_no_cell_begins_a_formula(text):
    assert without_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "plain", "it's = fine", "a-b"])
def test_other_cells_stay_as_they_are(text):
    assert without_formula(text) == text
