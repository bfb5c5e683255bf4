"""Print the script that makes a shell complete commands and options."""

from __future__ import annotations

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

from harvest.cli.options.crawl import log_options

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@log_options
def completion(shell: str | None) -> int:
    """Print the script that makes a shell complete commands and options.

    SHELL is bash, zsh or fish; without it, the one you are in. To have it in every new shell:

    \b
      bash:  harvest completion bash >> ~/.bashrc
      zsh:   harvest completion zsh >> ~/.zshrc   (after compinit)
      fish:  harvest completion fish > ~/.config/fish/completions/harvest.fish
    """
    named = shell or PurePath(os.environ.get("SHELL", "")).name
    complete = get_completion_class(named) if named in SHELLS else None
    if complete is None:
        raise click.UsageError(f"Which shell? Say one of: {', '.join(SHELLS)}.")
    click.echo(complete(click.get_current_context().find_root().command, {}, "harvest", "_HARVEST_COMPLETE").source())
    return 0
