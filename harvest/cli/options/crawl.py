"""Options that several commands share."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from harvest.cli.options.budgets import Seconds, budget_options
from harvest.cli.options.environment import Setting, environment
from harvest.cli.options.types import Parsed, Place, whole
from harvest.cli.output.encoding import write_utf8
from harvest.cli.output.not_loaded import say_what_is_not_loaded
from harvest.crawler.recipes import parse_caps, parse_recipe, parse_via
from harvest.errors import PluginError, SettingsError
from harvest.models import DEEPEST, LONGEST_DELAY, ORDERS
from harvest.profiles import LEVELS
from harvest.settings import DEFAULT_PATH
from harvest.store.database import reading_errors
from harvest.system.lengths import parse_length
from harvest.system.logs import configure_logs
from harvest.system.shares import parse_share

Command = Callable[..., Any]
Made = TypeVar("Made")


def cache_path(default: Path = DEFAULT_PATH, envvar: str | None = "HARVEST_CACHE_PATH") -> Callable[[Command], Command]:
    """Add --cache-path, alias --db."""
    return click.option(
        "--cache-path",
        "--db",
        "path",
        type=Place(),
        default=default,
        show_default=True,
        cls=Setting,
        envvar=envvar,
        help="The SQLite file.",
    )


def json_option(words: str = "Print one JSON object.") -> Callable[[Command], Command]:
    """Add --json, as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, callback=_for_programs, help=words)


def _for_programs(_: click.Context, __: click.Parameter, as_json: bool) -> bool:
    if as_json:
        write_utf8(sys.stdout)
    return as_json


def reads(command: Command) -> Command:
    """Let a command that only reads the file say so when that is what leads it astray, and what it did without."""

    @functools.wraps(command)
    def reading(*args: Any, path: Path, **kwargs: Any) -> Any:
        with reading_errors(path):
            code = command(*args, path=path, **kwargs)
        say_what_is_not_loaded()
        return code

    return reading


def log_options(command: Command) -> Command:
    """Add the options of logging and display, and apply them before the command runs."""
    return _logging(command, tells_events=True)


def reading_log_options(command: Command) -> Command:
    """Add the same options to a command that tells no events; setting up a log would take most of its time."""
    return _logging(command, tells_events=False)


def _logging(command: Command, *, tells_events: bool) -> Command:
    @functools.wraps(command)
    def configured(
        *args: Any,
        log_format: Any,
        log_level: str | None,
        log_file: Path | None,
        quiet: bool,
        verbose: bool,
        **kwargs: Any,
    ) -> Any:
        level = log_level or ("error" if quiet else "debug" if verbose else "info")
        asked_for = level in ("info", "debug") and bool(log_level or verbose)
        click.get_current_context().meta.update(log_level=level, log_file=log_file, quiet=quiet, tells_visits=asked_for)
        opened = _opened(log_file)
        if log_format == "json":
            write_utf8(sys.stderr)
        if tells_events:
            configure_logs(level=level, log_format=log_format, colours=_in_colour(), log_file=opened)
        return command(*args, **kwargs)

    return with_options(
        configured,
        click.option(
            "--log-format",
            type=click.Choice(["console", "json"]),
            default="console",
            cls=Setting,
            envvar="HARVEST_LOG_FORMAT",
            help="How events on stderr are written.  [default: console]",
        ),
        click.option(
            "--log-level",
            type=click.Choice(["debug", "info", "warning", "error"]),
            cls=Setting,
            envvar="HARVEST_LOG_LEVEL",
            help="Which events: info, if passed, adds a line per person read, debug one per page.  [default: info]",
        ),
        click.option(
            "--log-file",
            type=Place(dir_okay=False),
            cls=Setting,
            envvar="HARVEST_LOG_FILE",
            help="Also write all events to this file, as JSON lines at debug level.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="Show only errors."),
        click.option("-v", "--verbose", is_flag=True, help="The same as --log-level debug."),
    )


def _in_colour() -> bool:
    """Say whether stderr is a terminal that shows colours, and whose owner wants them."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _opened(log_file: Path | None) -> TextIO | None:
    """Open the log file for as long as the command runs. One that `.env` names lies below the folder: the author of
    that file has no say over what is written elsewhere.
    """
    if log_file is None:
        return None
    if _is_from_file("log_file", "HARVEST_LOG_FILE") and not log_file.resolve().is_relative_to(Path.cwd()):
        raise click.BadParameter(f"{log_file} is outside of this folder; only the environment and --log-file may.")
    try:
        opened = open(  # noqa: SIM115 - Path.open takes no opener; it is closed with the command
            log_file, "a", encoding="utf-8", errors="backslashreplace", buffering=1, opener=_without_waiting
        )
    except OSError as error:
        raise click.BadParameter(f"{log_file}: {error.strerror}.", param_hint="--log-file") from error
    click.get_current_context().call_on_close(functools.partial(_close, opened))
    return opened


def _without_waiting(path: str, flags: int) -> int:
    """Open a file, or a pipe that a process already reads, without waiting for one. Raises OSError."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    os.set_blocking(handle, True)
    return handle


def _is_from_file(option: str, variable: str) -> bool:
    """Say whether a `.env` gave the value of an option."""
    by_variable = click.get_current_context().get_parameter_source(option) is click.core.ParameterSource.ENVIRONMENT
    return by_variable and environment().find(variable).is_from_file


def _close(log_file: TextIO) -> None:
    with contextlib.suppress(OSError):  # it has been said that nothing more can be written
        log_file.close()


def with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    """Decorate a command so that its help lists the options in the order given."""
    for option in reversed(options):
        command = option(command)
    return command


def crawl_options(command: Command) -> Command:
    """Add the options of a crawl. A default of None means: as this seed was last crawled, else the usual."""
    return with_options(
        command,
        click.option(
            "--max-users",
            type=whole(0),
            metavar="N",
            cls=Setting,
            envvar="HARVEST_MAX_USERS",
            help="People visited per track: its likers in list order, then its reposters; via followings, in total.  "
            "[default: 1000]",
        ),
        click.option(
            "--max-user-likes",
            type=whole(1),
            metavar="N",
            cls=Setting,
            envvar="HARVEST_MAX_USER_LIKES",
            help="Likes kept per person, newest first; the same as --cap likes=N.  [default: 500]",
        ),
        click.option(
            "--max-listed",
            type=whole(1),
            metavar="N",
            cls=Setting,
            envvar="HARVEST_MAX_LISTED",
            help="Likers, and reposters, kept per track; --cap for one of the two.  [default: 20000]",
        ),
        click.option(
            "--depth",
            type=whole(0, DEEPEST),
            metavar="N",
            cls=Setting,
            envvar="HARVEST_DEPTH",
            help="0: the seed's own lists. 1: also the people around it. 2: also the tracks most of them share; etc."
            "  [default: 1 for a track, else 0]",
        ),
        click.option(
            "--max-tracks",
            type=whole(1),
            metavar="N",
            cls=Setting,
            envvar="HARVEST_MAX_TRACKS",
            help="Tracks each round continues around, most often named first.  [default: 100]",
        ),
        click.option(
            "--max-playlists",
            type=whole(0),
            metavar="N",
            cls=Setting,
            envvar="HARVEST_MAX_PLAYLISTS",
            help="Playlists of people each round opens if playlist-tracks are read, most often named first."
            "  [default: 100]",
        ),
        click.option(
            "--read",
            type=Parsed("lists", lambda text: parse_recipe(text, usual=()), as_typed=True),
            metavar="LISTS",
            cls=Setting,
            envvar="HARVEST_READ",
            help="Lists to read: names separated by commas, all, or +NAME and -NAME.  "
            "[default: likers,reposters,likes]",
        ),
        click.option(
            "--seed-read",
            type=Parsed("lists", lambda text: parse_recipe(text, usual=()), as_typed=True),
            metavar="LISTS",
            cls=Setting,
            envvar="HARVEST_SEED_READ",
            help="Additional lists to read for a seed that is a person or a playlist.  "
            "[default: uploads,likes,reposts,playlists and playlist-tracks,playlist-reposters]",
        ),
        click.option(
            "--via",
            type=Parsed("lists", parse_via, as_typed=True),
            metavar="LISTS",
            cls=Setting,
            envvar="HARVEST_VIA",
            help="Lists of people to continue through: likes, reposts, uploads (to tracks), followings, followers (to "
            "people).  [default: likes]",
        ),
        click.option(
            "--cap",
            type=Parsed("cap", parse_caps, as_typed=True),
            metavar="NAME=N",
            multiple=True,
            cls=Setting,
            envvar="HARVEST_CAP",
            help="Entries kept per list of one kind: --cap comments=200. May be repeated; 0 reads none.",
        ),
        click.option(
            "--everything",
            is_flag=True,
            default=None,
            cls=Setting,
            envvar="HARVEST_EVERYTHING",
            help="Lift every bound and cap above, except those you also pass. Run harvest plan first.",
        ),
        click.option(
            "--order",
            type=click.Choice(ORDERS),
            cls=Setting,
            envvar="HARVEST_ORDER",
            help="Who is followed first: newest (as listed), random, popular or least-known (by followers); walk "
            "continues at random from there, up to --depth steps.  [default: newest]",
        ),
        click.option(
            "--sample",
            type=whole(1),
            metavar="N",
            cls=Setting,
            envvar="HARVEST_SAMPLE",
            help="Follow a random sample of N people: the same as --order random --max-users N.",
        ),
        click.option(
            "--sample-seed",
            type=whole(0),
            metavar="N",
            cls=Setting,
            envvar="HARVEST_SAMPLE_SEED",
            help="A different number draws a different sample.  [default: 0]",
        ),
        click.option(
            "--control",
            type=whole(0),
            metavar="N",
            cls=Setting,
            envvar="HARVEST_CONTROL",
            help="Besides the people --order puts first, follow N of the others around the seed, drawn at random: "
            "a control sample.  [default: 0]",
        ),
        click.option(
            "--until-new",
            type=Parsed("share", parse_share, as_typed=True),
            metavar="SHARE",
            cls=Setting,
            envvar="HARVEST_UNTIL_NEW",
            help="End a sample when less than this share of the next person's likes would be new: 5%, checked every 50 "
            "people by the upper end of a 95% interval; 0 never ends it.",
        ),
        *pace_options(),
        click.option(
            "--page-size",
            type=click.IntRange(1, 200),
            metavar="N",
            cls=Setting,
            envvar="HARVEST_PAGE_SIZE",
            help="Entries per request.  [default: 200]",
        ),
        profiles_option(),
        retain_option(),
        replies_option(),
        *budget_options(),
        json_option("Print the summary as one JSON object."),
    )


def pace_options() -> list[Callable[[Command], Command]]:
    """Give the options of how fast is asked."""
    return [
        delay_option(),
        click.option(
            "--concurrency",
            type=click.IntRange(1, 256),
            metavar="N",
            cls=Setting,
            envvar="HARVEST_CONCURRENCY",
            help="Maximum requests in flight.  [default: as many as the pace needs, up to 32]",
        ),
    ]


def delay_option() -> Callable[[Command], Command]:
    """Give the option of the pace."""
    return click.option(
        "--delay",
        type=Seconds(0, LONGEST_DELAY),
        metavar="SECONDS",
        cls=Setting,
        envvar="HARVEST_DELAY",
        help="Seconds between request starts; 0: as fast as SoundCloud allows.  [default: 0.5]",
    )


def retain_option() -> Callable[[Command], Command]:
    """Give the option of how long is kept what was shown."""
    return click.option(
        "--retain",
        type=Parsed("length", _retention, as_typed=True),
        metavar="LENGTH",
        help="At the end, purge what SoundCloud last returned longer ago than this: 30d; the file remembers it. "
        "forever turns it off.",
    )


def _retention(text: str) -> float | None:
    return None if text.strip() == "forever" else parse_length(text)


def profiles_option() -> Callable[[Command], Command]:
    """Give the option of what is kept of people and things."""
    return click.option(
        "--profiles",
        type=click.Choice(LEVELS),
        cls=Setting,
        envvar="HARVEST_PROFILES",
        help="What to store: none (ids, edges and the counts a crawl depends on), minimal, or full (also real names, "
        "cities, countries and descriptions of users). A lower level than before erases stored values.  "
        "[default: as the file has it, else minimal]",
    )


def replies_option() -> Callable[[Command], Command]:
    """Give the option of what is kept of replies."""
    return click.option(
        "--keep-replies/--no-keep-replies",
        default=None,
        cls=Setting,
        envvar="HARVEST_KEEP_REPLIES",
        help="Keep every reply in NAME.replies.db beside the file, for harvest replay; the file remembers it."
        "  [default: no]",
    )


def asking_options() -> list[Callable[[Command], Command]]:
    """Give the options of a command that asks for what a file knows already: pace, profiles, replies,
    budget.
    """
    return [*pace_options(), profiles_option(), retain_option(), replies_option(), *budget_options()]


def older_than_option(words: str) -> Callable[[Command], Command]:
    """Add --older-than, a length of time as it was typed."""
    return click.option(
        "--older-than", type=Parsed("length", parse_length, as_typed=True), metavar="LENGTH", help=words
    )


def crawl_variables() -> set[str]:
    """Give the names of the environment variables that stand for options of a crawl."""
    command = click.command("any")(cache_path()(crawl_options(log_options(lambda: None))))
    return {str(option.envvar) for option in command.params if option.envvar}


def given(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the options that were given, an empty list being none; a sample asked for now makes up for a bound that the
    environment has for all crawls.
    """
    options = {name: value for name, value in chosen.items() if value not in (None, ())}
    source = click.get_current_context().get_parameter_source("max_users")
    if "sample" in options and source is click.core.ParameterSource.ENVIRONMENT:
        options.pop("max_users", None)
    return options


def asked(ask: Callable[..., Made], *arguments: Any) -> Made:
    """Ask for what was typed; options that contradict each other are a wrong use of the command."""
    try:
        return ask(*arguments)
    except PluginError:  # no option is to blame
        raise
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
