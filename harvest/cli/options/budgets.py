"""Options that bound what a crawl may spend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from harvest.cli.options.types import Parsed, Real, whole
from harvest.crawler.bounds import parse_time_of_day
from harvest.system.lengths import parse_length

Command = Callable[..., Any]


class Seconds(Real):
    """A number of seconds within bounds, also written as a length of time."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it, or fail with one line."""
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                try:
                    value = parse_length(value)
                except ValueError as error:
                    self.fail(f"{error}, or as a number of seconds.", param, ctx)
        return super().convert(value, param, ctx)


def budget_options() -> list[Callable[[Command], Command]]:
    """Give the options of a budget."""
    return [
        requests_option(),
        click.option(
            "--for",
            "for_",
            type=Parsed("length", parse_length),
            metavar="LENGTH",
            help="Stop after this long: 2h, 90m, 1h30m, 45s.",
        ),
        click.option(
            "--until",
            type=Parsed("time", parse_time_of_day, as_typed=True),
            metavar="HH:MM",
            help="Stop at this local time: 06:00.",
        ),
        click.option(
            "--max-failures",
            type=whole(1),
            metavar="N",
            help="Stop when N lists have failed (people who are gone do not count).",
        ),
        click.option(
            "--total/--no-total",
            default=None,
            help="Include what earlier runs of the file spent, and keep these bounds for later runs; "
            "--no-total removes them.",
        ),
    ]


def requests_option() -> Callable[[Command], Command]:
    """Give the bound on requests."""
    return click.option(
        "--max-requests",
        type=whole(1),
        metavar="N",
        help="Stop after N requests; retries and token requests count.",
    )
