"""What a command finds in the environment and in `.env`: its settings, and options that were not given."""

from __future__ import annotations

import click

from harvest.environment import Environment
from harvest.settings import Settings, read_settings

# These need no personal settings: they ignore a `.env`, whatever is in it.
NEED_NO_FILE = frozenset({"completion", "demo", "simulate"})


def environment() -> Environment:
    """Give what this run of the command line was started with."""
    root = click.get_current_context().find_root()
    if root.obj is None:  # the command is called by itself, not through `main`
        root.obj = Environment.here()
    found: Environment = root.obj
    return found


def own_settings() -> Settings:
    """Read the settings of this run. Raises SettingsError."""
    return read_settings(environment())


class Setting(click.Option):
    """An option that a variable may give: one of the environment, or one of `.env`."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Give the value of the variable; a shell that completes is told of no file."""
        if not isinstance(self.envvar, str) or ctx.resilient_parsing:
            return super().resolve_envvar_value(ctx)
        with ctx.scope(cleanup=False):
            found = environment()
            if ctx.info_name in NEED_NO_FILE:
                found = Environment(found.process)
            return found.find(self.envvar).value or None
