"""The command group; turns a HarvestError into one line and an exit code."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
import traceback
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harvest._version import __version__
from harvest.cli.output.broken_pipe import leave_unread
from harvest.environment import Environment, WithoutCredentials
from harvest.errors import CredentialsMissing, HarvestError, PluginError, StoreError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Command → (module, one line of help). Modules are imported when their command runs, so that `--help` is quick.
COMMANDS = {
    "crawl": ("crawl", "Crawl around URL; the same as `harvest URL...`."),
    "search": ("search", "Search tracks, people or playlists; store the results."),
    "plan": ("plan", "Estimate a crawl: requests, time, rows, disk."),
    "resume": ("crawl", "Continue everything unfinished in the file."),
    "status": ("status", "Show seeds, lists by outcome, and what to do next."),
    "changes": ("changes", "Show what appeared, disappeared or was renamed, and why."),
    "failures": ("failures", "Show what failed and why, as text, CSV or JSON."),
    "why": ("why", "Show why a user or a track is in the file."),
    "cite": ("cite", "Print a citation and a methods paragraph for the file."),
    "estimate": ("estimate", "Estimate means, shares and totals from a random sample."),
    "bias": ("bias", "Compare the people followed with all who are listed."),
    "counts": ("counts", "Update the counts of known people and tracks."),
    "refresh": ("refresh", "Re-read lists that changed; show what changed."),
    "tend": ("tend", "Keep the file up to date, from cron or systemd."),
    "forget": ("forget", "Remove people and tracks for good, and prove it."),
    "purge": ("purge", "Remove what SoundCloud has not returned for a while."),
    "comply": ("comply", "Empty what SoundCloud no longer returns."),
    "retry": ("retry", "Read failed lists again."),
    "auth": ("auth", "Sign in, show the sign-in, renew it, sign out."),
    "doctor": ("doctor", "Check settings, sign-in, API, clock, file and disk."),
    "probe": ("probe", "Compare today's API replies with what harvest reads."),
    "verify": ("verify", "Check every claim of the file against its rows."),
    "sql": ("sql", "Query the file: named queries, or any SQL."),
    "serve": ("serve", "Browse the file in your browser."),
    "report": ("report", "Write one HTML page about the file, with pictures."),
    "explore": ("explore", "Write a page to pan, search and click through."),
    "export": ("export", "Write files for notebooks, recommenders, graph tools."),
    "judge": ("judge", "Record your verdict on tracks: liked, not_quite, ..."),
    "radio": ("radio", "Suggest what to play after a few tracks, and why."),
    "related": ("related", "Show tracks that the same people like, and why."),
    "similar": ("related", "Show people who like the same tracks, and which."),
    "analyze": ("analyze", "Compute related tracks, people and artists for all."),
    "backbone": ("backbone", "Find edges between tracks or people beyond chance."),
    "dehydrate": ("sharing", "Write ids, ranks and ledger without content, to share."),
    "hydrate": ("sharing", "Fill a dehydrated folder again from SoundCloud."),
    "snapshot": ("snapshot", "Copy the file, even during a crawl."),
    "replay": ("replay", "Rebuild the file from its stored replies."),
    "completion": ("completion", "Set up tab completion in bash, zsh or fish."),
    "demo": ("demo", "Try harvest on a simulated SoundCloud, no account."),
    "simulate": ("simulate", "Serve the simulated SoundCloud on a local port."),
}

# How the help groups them; what stands in no group comes last.
GROUPS = {
    "collect": ("crawl", "search", "plan", "resume", "counts", "refresh", "tend", "retry"),
    "look": ("status", "changes", "failures", "why", "verify"),
    "explore": ("sql", "serve", "report", "explore", "related", "similar", "radio", "judge", "estimate", "bias"),
    "hand off": ("cite", "export", "dehydrate", "hydrate", "analyze", "backbone", "snapshot", "replay"),
    "protect": ("forget", "purge", "comply"),
    "set up": ("auth", "doctor", "probe", "completion"),
    "try out": ("demo", "simulate"),
}


def _load(where: str) -> click.Command:
    """Import a command, `package.module:attribute`."""
    module, _, attribute = where.partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    return command


_LONGEST_LINE = 2000  # of what we say about what went wrong
_OURSELVES = "me"  # as in harvest.models, which a --help goes without
_WORD = re.compile(r"[a-z][a-z0-9-]*")  # may be a command, of us or of a plug-in
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class HarvestGroup(click.Group):
    """Runs `crawl` when given an address, and takes options before the command as well as after it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands in the order of a first acquaintance."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name in COMMANDS:
            return _load(f"harvest.cli.commands.{COMMANDS[cmd_name][0]}:{cmd_name}")
        from harvest.cli.plugin_commands import find  # late: plug-ins are looked for when a command is none of ours

        found = find(cmd_name, COMMANDS)
        if found and ctx.obj is not None:
            ctx.obj = WithoutCredentials(ctx.obj)
        return found.load(_load) if found else None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command or an option, without importing any command."""
        from click.shell_completion import CompletionItem  # only where a shell asks

        names = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say all of it on one page of 80 columns: what it is, two examples, the commands by group."""
        formatter.write(f"Usage: {ctx.command_path} URL... [OPTIONS]   or   {ctx.command_path} COMMAND [OPTIONS]\n")
        self.format_help_text(ctx, formatter)
        formatter.write("\n")
        self.format_commands(ctx, formatter)
        formatter.write("\n  Use COMMAND --help for details, and --version for the version.\n")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by group, without importing them."""
        grouped = {name for names in GROUPS.values() for name in names}
        for group, names in {**GROUPS, "more": tuple(name for name in COMMANDS if name not in grouped)}.items():
            for place, name in enumerate(name for name in names if name in COMMANDS):
                formatter.write(f"  {'' if place else group:<9} {name:<11} {COMMANDS[name][1]}\n")
        from harvest.cli.plugin_commands import commands  # late: only here, and where a command is none of ours

        for place, one in enumerate(one for one in commands() if one.fault(COMMANDS) is None):
            line = f"  {'' if place else 'plug-ins':<9} {one.name:<11} {one.line}"
            formatter.write(f"{line[:80]}\n")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
        near = get_close_matches(args[0], COMMANDS, n=1)
        if args[0] in COMMANDS or not near or self.get_command(ctx, args[0]):
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"No such command {args[0]!r}. Did you mean {near[0]!r}?", ctx)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader that stops early, as in `harvest status | head`, has what it wanted."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            leave_unread()
            return 0
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception:
            name = ctx.invoked_subcommand
            if name is None or name in COMMANDS:
                raise
            with PluginError.blaming(name.partition("-")[0], f"its command {name}"):
                raise

    def _is_command(self, ctx: click.Context, args: list[str], place: int) -> bool:
        """Say whether an argument names a command, and is not the value of an option: `--cache-path demo`."""
        argument, before = args[place], args[place - 1] if place else ""
        if argument not in COMMANDS or not before.startswith("-"):
            return argument in COMMANDS
        commands = filter(None, (self.get_command(ctx, name) for name in {"crawl", argument}))
        options = [param for command in commands for param in command.params if isinstance(param, click.Option)]
        return not any(before in option.opts and not option.is_flag and not option.count for option in options)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command first: named ones wherever they stand, `crawl` before an address."""
        if args and _WORD.fullmatch(args[0]) and args[0] != _OURSELVES and self.get_command(ctx, args[0]):
            return super().parse_args(ctx, args)
        named = next((place for place in range(len(args)) if self._is_command(ctx, args, place)), None)
        if named and args[0].startswith("-"):
            args.insert(0, args.pop(named))
        elif named is None and any(_is_address(arg) for arg in args):
            args.insert(0, "crawl")
        return super().parse_args(ctx, args)


def _is_address(argument: str) -> bool:
    """Say whether an argument says where a crawl starts: an address, standard input, a list or a query."""
    if argument.startswith("-"):
        return argument == "-" or argument.partition("=")[0] in ("--from-file", "--from-sql")
    return argument == _OURSELVES or "/" in argument or "." in argument or ":" in argument


@click.group(
    cls=HarvestGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", message="harvest %(version)s")
def cli() -> None:
    """Crawl the likes around a SoundCloud track into one exact SQLite file.

    \b
      harvest demo                                  a first look, no account
      harvest https://soundcloud.com/artist/track   run again to continue
    """


def main(argv: list[str] | None = None, *, beside: Path | None = None) -> None:
    """Run the command line and exit with its code (docs/settings.md).

    A `.env` is looked for in the working directory, then in the folder `beside` which the program lies.
    """
    _prepare_streams()
    code = _run(argv, Environment.here(*([beside] if beside else [])))
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        leave_unread()
    except OSError as error:
        code = _output_failed(error)
    sys.exit(code)


class _Unheard(io.RawIOBase):
    """A stderr that may have gone, or be full: what is told there is lost then, and nothing else is."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def writable(self) -> bool:
        """Say that it takes text."""
        return True

    def fileno(self) -> int:
        """Give the number of the stream itself."""
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        """Say whether it is a terminal."""
        return bool(self._raw.isatty())

    def write(self, data: Any) -> int:
        """Write, or let it go."""
        with contextlib.suppress(OSError):
            self._raw.write(data)
        return len(data)


def _prepare_streams() -> None:
    """See to it that an output which was closed, is full or cannot write a character stops nothing."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif isinstance(stream, io.TextIOWrapper):  # what an output cannot write is written as an escape
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr is sys.__stderr__:
        raw = io.BufferedWriter(_Unheard(getattr(sys.stderr.buffer, "raw", sys.stderr.buffer)))
        sys.stderr = io.TextIOWrapper(raw, sys.stderr.encoding, "backslashreplace", line_buffering=True)


def _run(argv: list[str] | None, environment: Environment) -> int:
    try:
        result: Any = cli.main(args=argv, prog_name="harvest", standalone_mode=False, obj=environment)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        said = "\n".join(map(_harmless, error.format_message().replace("\t", "  ").split("\n")))
        error.format_message = lambda: said  # type: ignore[method-assign]  # what was typed is shown, not obeyed
        error.show()
        _name_the_variable(error, environment)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return 130
    except HarvestError as error:
        if isinstance(error, PluginError):
            _trace(error)  # for who writes it
        looked = f" (Looked for {environment.looked_in}.)" if isinstance(error, CredentialsMissing) else ""
        click.echo(f"harvest: {_harmless(str(error))}{_harmless(looked)}", err=True)
        return error.exit_code
    except OSError as error:
        full = error.filename is None and error.errno in _NO_ROOM  # no file of ours: those say so themselves
        return _output_failed(error) if full else _unexpected(error)
    except Exception as error:  # the last door: one line for people, the trace on request
        return _unexpected(error)


def _harmless(line: str) -> str:
    """Hide secrets in a line, and what would move the cursor; of what goes on and on, show the beginning."""
    from harvest.system.logs import printable  # late: what goes wrong once in a while must not slow down every start
    from harvest.system.redaction import without_secrets

    shown = printable(without_secrets(line))
    return shown if len(shown) <= _LONGEST_LINE else f"{shown[:_LONGEST_LINE]}..."


def _name_the_variable(error: click.ClickException, environment: Environment) -> None:
    """Say so when a value that is refused came from the environment or `.env`."""
    if isinstance(error, click.BadParameter) and error.param and error.param.name and error.ctx:
        source = error.ctx.get_parameter_source(error.param.name)
        if source is click.core.ParameterSource.ENVIRONMENT:
            found = environment.find(str(error.param.envvar))
            click.echo(f"(It comes from {found.variable}{f' in {found.source}' * found.is_from_file}.)", err=True)


def _output_failed(error: OSError) -> int:
    """Say that the output has no room, and drop what waits to be written, or Python would try again at the end."""
    click.echo(f"harvest: The output cannot be written: {error.strerror}. Make room, or write it elsewhere.", err=True)
    with contextlib.suppress(OSError, ValueError):  # a stdout that is no file
        leave_unread()
    return StoreError.exit_code


def _trace(error: Exception) -> None:
    if os.environ.get("HARVEST_TRACEBACK"):
        click.echo("\n".join(map(_harmless, "".join(traceback.format_exception(error)).splitlines())), err=True)


def _unexpected(error: Exception) -> int:
    _trace(error)
    click.echo(
        f"harvest: unexpected {type(error).__name__}: {_harmless(str(error))}. Stored data is safe."
        " Set HARVEST_TRACEBACK=1 to see where it happened, and please report it.",
        err=True,
    )
    return HarvestError.exit_code
