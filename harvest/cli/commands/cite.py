"""How to cite a file and harvest, and how the file was made, in words for a paper."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harvest.citing import cite as cited
from harvest.citing.facts import facts
from harvest.citing.methods import methods
from harvest.cli.options.crawl import cache_path, json_option, reading_log_options, reads
from harvest.store.database import open_to_read
from harvest.system.logs import printable

_FORMS = ("text", "bibtex", "methods")


@click.command()
@cache_path()
@click.option(
    "--as",
    "form",
    type=click.Choice(_FORMS),
    default=_FORMS[0],
    show_default=True,
    help="All of it, BibTeX entries, or the methods paragraph alone.",
)
@json_option()
@reading_log_options
@reads
def cite(path: Path, form: str, as_json: bool) -> int:
    """Print how to cite the file and harvest, and a methods paragraph generated from the ledger.

    Version, seeds, time and totals are those of the file; the totals distinguish one state of it from another. A plan
    saved before the crawl (`plan --save`, `--plan`) is named by its hash.

    \b
      harvest cite
      harvest cite --as bibtex >> paper.bib
      harvest cite --as methods
    """
    with open_to_read(path) as connection:
        found = facts(connection)
    if as_json:
        click.echo(json.dumps(cited.as_json(found)))
        return 0
    if form == "bibtex":
        lines = cited.as_bibtex(found).splitlines()
    else:
        lines = cited.as_text(found) if form == "text" else [" ".join(methods(found))]
    click.echo("\n".join(map(printable, lines)))
    return 0
