"""Options that make a simulated world, shared by `demo` and `simulate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from harvest.cli.options.types import Real

Command = Callable[..., Any]


def world_options(command: Command) -> Command:
    """Add the options of a simulated world."""
    for option in reversed(
        [
            click.option(
                "--users", type=click.IntRange(1, 100_000_000), default=500, show_default=True, help="People in it."
            ),
            click.option(
                "--tracks", type=click.IntRange(1, 1_000_000_000), default=3000, show_default=True, help="Tracks in it."
            ),
            click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same world."),
            click.option(
                "--likes-per-user",
                type=Real(0, 100_000),
                default=60.0,
                show_default=True,
                help="On average.",
            ),
        ]
    ):
        command = option(command)
    return command
