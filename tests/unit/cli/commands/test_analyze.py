"""What `harvest analyze` says of each method."""

from __future__ import annotations

import pytest

from harvest.analysis.run import Done
from harvest.cli.commands.analyze import _computed


@pytest.mark.parametrize(
    ("pairs", "computed", "said"),
    [(7, None, "all"), (7, 1, "1 artist"), (7, 0, "nothing new"), (0, 0, "none found"), (0, None, "none found")],
)
def test_what_was_computed_is_said(pairs, computed, said):
    """A first analysis that finds no pair is not called old news."""
    assert _computed(Done("shared_fans", "artist_relationships", pairs, computed)) == said
