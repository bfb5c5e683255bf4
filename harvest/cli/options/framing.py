"""The option that says which tracks are frames: tracks for which people were chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from harvest.analysis.methods import FRAMINGS


def framing_option(*, default: str | None = "auto", usual: str = "auto") -> Callable[[Any], Any]:
    """Give `--frames`; `usual` is what help says stands without it."""
    return click.option(
        "--frames",
        "framing",
        type=click.Choice(FRAMINGS),
        default=default,
        help="Tracks to leave out because people were chosen for liking them: auto (those that decide which people are "
        f"here; none in a whole graph), seeds, all, none.  [default: {usual}]",
    )
