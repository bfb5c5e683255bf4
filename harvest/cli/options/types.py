"""Types of options: numbers that a file and a clock can hold, and texts that one function reads."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from harvest.errors import SettingsError
from harvest.models import MOST

_NO_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)


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


class Place(click.Path):
    """A path; `~` is the home folder also where no shell has said so, as in `--db=~/t.db` and in variables."""

    def __init__(self, **how: Any) -> None:
        super().__init__(path_type=Path, **how)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it, or fail with one line."""
        if isinstance(value, str):
            value = os.path.expanduser(value)  # noqa: PTH111 - keeps `~name` where no such user exists
        try:
            os.lstat(value)
        except ValueError as error:  # a NUL, or what the file system's encoding has not
            self.fail(f"{value!r} is no path: {error}.", param, ctx)
        except OSError as error:
            if error.errno in _NO_NAME:
                self.fail(f"{os.fspath(value)!r} is no path: {error.strerror}.", param, ctx)
        return super().convert(value, param, ctx)


class Parsed(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases of click
    """A value that a function reads and that stays as it was typed, or becomes what the function gives."""

    def __init__(self, name: str, parse: Callable[[str], Any], *, as_typed: bool = False) -> None:
        self.name, self._parse, self._as_typed = name, parse, as_typed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it, or fail with one line."""
        if not isinstance(value, str):
            return value
        try:
            parsed = self._parse(value)
        except (ValueError, SettingsError) as error:
            self.fail(f"{str(error).removesuffix('.')}.", param, ctx)
        return value.strip() if self._as_typed else parsed
