"""Say which plug-ins a file has lists of, that are not loaded."""

from __future__ import annotations

import sqlite3

import click

from harvest.store import absent


def say_what_is_not_loaded() -> None:
    """Say for each such plug-in in one line what a reader does without, once, and not with --quiet."""
    meta = click.get_current_context().meta
    for plugin, lists in absent.named().items() if not meta.get("quiet") else ():
        if not meta.get(f"{__name__}.{plugin}"):
            meta[f"{__name__}.{plugin}"] = True
            click.echo(
                f"Note: the plug-in {plugin} is not loaded. Its lists ({', '.join(lists)}) count as the file has them;"
                " what they hold is not checked.",
                err=True,
            )


def not_checked(connection: sqlite3.Connection) -> list[dict[str, str | int]]:
    """Return plug-in, kind and number of the lists whose content cannot be checked. No note repeats it."""
    found = absent.lists_of(connection)
    click.get_current_context().meta.update({f"{__name__}.{plugin}": True for plugin, _, _ in found})
    return [{"plugin": plugin, "kind": kind, "lists": n} for plugin, kind, n in found]
