"""The option that takes a format of exports: ours, or one of a plug-in."""

from __future__ import annotations

from typing import Any

import click

from harvest.export.choices import FORMATS, formats


class Format(click.Choice[str]):
    """One of our formats, or one of a plug-in; plug-ins are looked for when it is none of ours."""

    def __init__(self) -> None:
        super().__init__(FORMATS)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give the name."""
        if value in FORMATS:
            return super().convert(value, param, ctx)
        return click.Choice(formats()).convert(value, param, ctx)
