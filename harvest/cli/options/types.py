"""Numbers on the command line: bounded, so that no file and no clock meets one that it cannot hold."""

from __future__ import annotations

import math
from typing import Any

import click

from harvest.models import MOST


def whole(least: int, most: int = MOST) -> click.IntRange:
    """Take a whole number within bounds."""
    return click.IntRange(least, most)


class Real(click.FloatRange):
    """A number within bounds; what is no number at all (nan) lies in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it, or fail with one line."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{number} is no number.", param, ctx)
        return number
