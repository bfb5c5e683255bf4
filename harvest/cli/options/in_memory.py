"""The options of a crawl that leaves no file: what is written of it in the end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from harvest.cli.options.crawl import Command, with_options
from harvest.cli.options.formats import Format
from harvest.cli.options.types import Place, whole
from harvest.export.choices import IDS, ExportChoices

_OF_EXPORTS = ("format_name", "ids", "key_file", "k", "lists")
_FLAGS = {"format_name": "--format", "key_file": "--key"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported of a crawl in memory, and where to; no folder: nothing."""

    folder: Path | None
    choices: ExportChoices
    key_file: Path | None


def in_memory_options(command: Command) -> Command:
    """Add --ephemeral and what goes with it."""
    return with_options(
        command,
        click.option(
            "--ephemeral",
            is_flag=True,
            help="Keep everything in memory; write only what --export asks for.",
        ),
        click.option(
            "--export", "folder", type=Place(), metavar="DIR", help="With --ephemeral: export into this folder."
        ),
        click.option("--format", "format_name", type=Format(), help="Of the export.  [default: parquet]"),
        click.option("--ids", type=click.Choice(IDS), help="Of the export, as in harvest export.  [default: raw]"),
        click.option("--key", "key_file", type=Place(), help="Of the export: the file with the key of pseudonyms."),
        click.option(
            "--k", type=whole(1), metavar="K", help="Of the export: leave out what fewer than K people share."
        ),
        click.option("--lists", is_flag=True, help="Of the export: all other lists too."),
    )


def wanted(chosen: dict[str, Any]) -> Wanted | None:
    """Take these options out of what was chosen; None for a crawl into a file. Raises click.UsageError."""
    ephemeral, folder = chosen.pop("ephemeral"), chosen.pop("folder")
    given = {name: chosen.pop(name) for name in _OF_EXPORTS}
    named = next((_FLAGS.get(name, f"--{name}") for name, value in given.items() if value), None)
    if folder is None and named is not None:
        raise click.UsageError(f"{named} belongs to --export.")
    if not ephemeral:
        if folder is not None:
            raise click.UsageError("--export belongs to --ephemeral; a file is exported with `harvest export`.")
        return None
    _refuse_files(chosen)
    choices = ExportChoices(
        format=given["format_name"] or "parquet", ids=given["ids"] or "raw", k=given["k"] or 0, lists=given["lists"]
    )
    return Wanted(folder, choices, given["key_file"])


def _refuse_files(chosen: dict[str, Any]) -> None:
    """Refuse what would write beside it; what the environment has for all crawls is left out."""
    told = click.get_current_context().get_parameter_source
    if told("path") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--ephemeral writes no file: leave out --cache-path.")
    if chosen.pop("keep_replies", None) and told("keep_replies") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--ephemeral keeps nothing: leave out --keep-replies.")
