"""Look at the file in the browser."""

from __future__ import annotations

import webbrowser
from importlib.util import find_spec
from pathlib import Path

import click

from harvest import terms
from harvest.cli.options.crawl import cache_path, log_options, reads
from harvest.cli.output.not_loaded import say_what_is_not_loaded
from harvest.serving.server import listen, missing, run
from harvest.settings import state_folder
from harvest.store.database import check_readable


@click.command()
@cache_path()
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Port.  [default: any free one]")
@click.option("--open", "open_it", is_flag=True, help="Open it in the browser.")
@click.option("--mcp", "agents", is_flag=True, help="Also answer AI agents on this computer (docs/agents.md).")
@log_options
@reads
def serve(path: Path, port: int, open_it: bool, agents: bool) -> int:
    """Browse the file in your browser: tables, search, facets, and the named queries of `harvest sql`.

    Datasette serves it only to this computer, until Ctrl-C; the file is read-only. Needs the extra `serve`. --mcp also
    serves AI agents, at /-/mcp (Model Context Protocol), and needs the extra `mcp`.

    \b
      harvest serve --open
      harvest serve --cache-path data/cache/demo.db --port 8001
      harvest serve --mcp --port 8001
    """
    check_readable(path)
    if find_spec("datasette") is None:
        raise missing()
    if agents:
        if find_spec("mcp") is None:
            raise missing(agents=True)
        terms.say_once(state_folder(), lambda text: click.echo(text, err=True), of_agents=True)
    listening = listen(port)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    click.echo(address)
    click.echo(f"{path} is served there; Ctrl-C ends it.", err=True)
    if agents:
        click.echo(f"Agents ask it at {address}-/mcp; what strangers wrote is marked `untrusted_`.", err=True)
    say_what_is_not_loaded()
    if open_it:
        webbrowser.open(address)
    run(path, listening, agents=agents)
    return 0
