"""Check every claim of a file against its rows."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harvest.cli.options.crawl import cache_path, json_option, log_options, reads
from harvest.cli.output.not_loaded import not_checked
from harvest.cli.output.spinner import patience
from harvest.forgetting.checks import FORGOTTEN_CHECKS
from harvest.store.database import open_to_read, storage_errors
from harvest.system.logs import printable
from harvest.verify.checks import verify as run_checks


@click.command()
@cache_path()
@click.option(
    "--forgotten", is_flag=True, help="Also that what was forgotten is gone, by the numbers that stand for it."
)
@json_option()
@log_options
@reads
def verify(path: Path, forgotten: bool, as_json: bool) -> int:
    """Check every claim of the file against its rows.

    Ledger against edges, pages against ledger, ranks without gaps, references, SQLite's own integrity check. Exit code
    0: no problems; 1: something is wrong.
    """
    with open_to_read(path) as connection, storage_errors(path, writes=False), patience(connection, "checking") as tell:
        more = FORGOTTEN_CHECKS if forgotten else ()
        findings = list(run_checks(connection, on_check=lambda name: tell(f"checking {name}"), more=more))
        unchecked = not_checked(connection)
    wrong = [finding for finding in findings if finding.contradictions]
    if as_json:
        told = [
            {"check": f.check.name, "claim": f.check.claim, "contradictions": f.contradictions, "examples": f.examples}
            for f in findings
        ]
        click.echo(json.dumps({"path": str(path), "sound": not wrong, "checks": told, "not_checked": unchecked}))
        return int(bool(wrong))
    for finding in wrong:
        click.echo(
            f"{finding.check.name}: it should be that {finding.check.claim}, but in {finding.contradictions:,} cases:"
        )
        for example in finding.examples:
            click.echo(f"  {printable(example)}")
    click.echo(
        f"{path}: {len(findings)} checks, {len(wrong)} of them found something wrong."
        if wrong
        else f"{path}: all {len(findings)} checks hold."
    )
    for left in unchecked:
        click.echo(
            f"Not checked: the content of lists {left['kind']} ({left['lists']:,}), only their ledger: the plug-in"
            f" {left['plugin']} is not loaded. Install it, or leave out HARVEST_PLUGINS=0, then verify again."
        )
    return int(bool(wrong))
