"""Check settings, sign-in, service, clock, file and disk, and say what to do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path

import click

from harvest.auth.login import held
from harvest.cli.few_requests import connect_briefly
from harvest.cli.main import COMMANDS
from harvest.cli.options.crawl import cache_path, crawl_variables, json_option, log_options
from harvest.cli.options.environment import environment
from harvest.cli.options.types import Place
from harvest.cli.output.formatting import counted
from harvest.cli.plugin_commands import find
from harvest.client.network import VARIABLES as NETWORK_VARIABLES
from harvest.client.network import read_proxies, tls_context
from harvest.environment import OURS, Environment
from harvest.errors import AuthError, Gone, HarvestError, LoginNeeded, PluginError, SettingsError
from harvest.explore.named import named_queries
from harvest.export.choices import formats
from harvest.plugins.registry import plugins
from harvest.plugins.tables import declared
from harvest.probing.description import LARGEST, read_description
from harvest.probing.facts import official
from harvest.probing.spec import spec_differences
from harvest.settings import SECRETS, VARIABLES, Settings, names_of, read_settings, state_folder
from harvest.store.database import OLDEST_SQLITE, open_if_begun, storage_errors
from harvest.system.clock import SystemClock
from harvest.system.files import read_at_most
from harvest.system.installed import plugins_are_on
from harvest.system.logs import printable
from harvest.system.redaction import without_secrets
from harvest.wiring import Connection, clock_trouble, keeper_for

_ROOM_WANTED = 1 << 30
# A page of SoundCloud's own that has been there for ever; should it go, a 404 as JSON answers the question as well.
_PAGE = "https://soundcloud.com/soundcloud"
_DOWNLOADS = "soundcloud.com/you/apps"


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing looked at: what was found and, if it is not well, what to do."""

    name: str
    ok: bool
    found: str
    to_do: str = ""


@click.command()
@cache_path()
@click.option(
    "--spec",
    type=Place(dir_okay=False),
    metavar="FILE",
    help="Only compare a newer official API description (YAML or JSON) with the one harvest knows; send nothing.",
)
@json_option()
@log_options
def doctor(path: Path, spec: Path | None, as_json: bool) -> int:
    """Check settings, sign-in, API, clock, file and disk, and say what to do.

    Sends two or three requests. Exit code 0: no problems; 1: something needs fixing. Secrets are not shown.

    With --spec, shows which endpoints, parameters and fields of SoundCloud's official description are new, gone or
    different from the one this version was built for, and which of them harvest reads.

    \b
      harvest doctor
      harvest doctor --spec api.yaml
    """
    if spec is not None:
        return _compare(spec, as_json=as_json)
    lines = []
    for line in examine(environment(), path):
        line = Advice(line.name, line.ok, printable(without_secrets(line.found)), without_secrets(line.to_do))
        lines.append(line)
        if not as_json:
            click.echo(_shown(line))
    well = all(line.ok for line in lines)
    if as_json:
        click.echo(json.dumps({"well": well, "checks": [asdict(line) for line in lines]}))
    else:
        sick = sum(not line.ok for line in lines)
        click.echo("\nAll is well." if well else f"\n{sick} of {len(lines)} checks found something to do.")
    return int(not well)


def _compare(spec: Path, *, as_json: bool) -> int:
    """Say in what a description differs from the one that is known. Raises SettingsError where it is none."""
    try:
        body = read_at_most(spec, LARGEST + 1)
    except OSError as error:
        raise SettingsError(f"{spec} cannot be read: {error.strerror}.") from error
    known = official()
    found = spec_differences(known, read_description(body, str(spec)))
    if as_json:
        told = [{"where": one.where[0], "field": one.field, "what": one.what} for one in found]
        click.echo(json.dumps({"known": known.day, "same": not found, "differences": told}))
        return int(bool(found))
    for one in found:
        click.echo(one.line)
    n = f"\n{counted(len(found), 'difference')}" if found else "No difference"
    click.echo(f"{n} from the description of {known.day} that this version was made with.")
    return int(bool(found))


def examine(environment: Environment, path: Path) -> Iterator[Advice]:
    """Look at one thing after the other."""
    try:
        yield from _sources(environment)
        settings = read_settings(environment)
    except SettingsError as error:
        yield Advice("settings", False, str(error), "Correct it in the environment or in .env.")
        return
    yield _unknown(environment)
    yield _keeping(settings)
    network = _network(environment, settings)
    yield network
    if network.ok:
        yield from asyncio.run(_service(settings))
    yield _sqlite()
    yield from _plugins()
    yield _file(path)
    yield _disk(path)


def _sqlite() -> Advice:
    """See whether the SQLite of this Python has what a file needs."""
    version = ".".join(map(str, OLDEST_SQLITE))
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE tried USING fts5 (text)")
        except sqlite3.OperationalError as error:
            return Advice("SQLite", False, f"it lacks FTS5, the full-text search ({error})", "Use another Python.")
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        return Advice("SQLite", False, f"{sqlite3.sqlite_version}; {version} is needed", "Use a newer Python.")
    return Advice("SQLite", True, f"{sqlite3.sqlite_version}, with full-text search")


def _plugins() -> Iterator[Advice]:
    """Name the plug-ins that are loaded with their versions, and see whether they offer what they say."""
    if not plugins_are_on():
        yield Advice("plug-ins", True, "switched off by HARVEST_PLUGINS=0")
        return
    try:
        named_queries(), formats(), find("", COMMANDS), declared()
        loaded = plugins()
    except PluginError as error:
        yield Advice("plug-ins", False, str(error), "Update it, or take it out with pip uninstall.")
        return
    for one in loaded:
        yield Advice("plug-in", True, f"{one.name}: {one.package} {one.version}, {', '.join(one.hooks) or 'no hooks'}")
    if not loaded:
        yield Advice("plug-ins", True, "none is installed")


def _sources(environment: Environment) -> Iterator[Advice]:
    """Show every setting with its value and where it came from; secrets are masked."""
    usual = Settings()
    for name, variables in names_of().items():
        found, default = environment.find(*variables), getattr(usual, name)
        text = found.value or (f"{default:g}" if isinstance(default, float) else default)
        shown = f"set, {len(text)} characters" if text and name in SECRETS else text or "not set"
        alias = f", as {found.variable}" if found.variable not in ("", variables[0]) else ""
        yield Advice(variables[0], True, f"{shown} ({found.source}{alias})")
    for variable in sorted(crawl_variables()):
        if (found := environment.find(variable)).value:
            yield Advice(variable, True, f"{found.value} ({found.source})")


def _unknown(environment: Environment) -> Advice:
    """Find variables that harvest does not read: most are typing errors."""
    known = {*VARIABLES, *crawl_variables(), "HARVEST_TRACEBACK", "HARVEST_PLUGINS"}
    given = {*environment.process, *environment.file.values}
    odd = sorted(name for name in given if name.startswith(OURS) and name not in known)
    if odd:
        meant = [
            f"{name} (did you mean {near[0]}?)" if (near := get_close_matches(name, known, 1)) else name for name in odd
        ]
        return Advice("names of settings", False, f"harvest does not read {', '.join(meant)}", "Rename or remove them.")
    others = environment.file.others
    text = f"; of {environment.file.source} harvest does not read {', '.join(others[:5])}" if others else ""
    return Advice("names of settings", True, f"all known{text}")


def _keeping(settings: Settings) -> Advice:
    """See whether sign-ins can be kept, and whether they are private."""
    try:
        store = keeper_for(settings).store("login")
        with held(store, SystemClock(), patience=5.0):
            store.prepare()
    except HarvestError as error:
        return Advice("place of sign-ins", False, str(error), "See the message.")
    if settings.credential_store == "memory":
        return Advice("place of sign-ins", True, "memory only: each run signs in again")
    folder = state_folder() / "credentials"
    open_ones = [p.name for p in folder.iterdir() if os.name != "nt" and p.stat().st_mode & 0o077]
    if open_ones:
        return Advice(
            "place of sign-ins", False, f"others may read {open_ones[0]} in {folder}", f"chmod -R go= {folder}"
        )
    return Advice("place of sign-ins", True, f"{folder}, for you alone")


def _network(environment: Environment, settings: Settings) -> Advice:
    """See which proxies and certificates the environment names."""
    named = [name for name in environment.process if name.upper() in NETWORK_VARIABLES and environment.process[name]]
    try:
        tls_context(environment.process)
        proxy = read_proxies(environment.process).leading_to(settings.api_url)
    except SettingsError as error:
        return Advice("network", False, str(error), "Correct it in the environment, or unset it.")
    way = f"through the proxy of {proxy.variable}" if proxy else "no proxy on the way"
    heard = f" ({', '.join(sorted(named))} of the environment)" if named else ""
    return Advice("network", True, way + heard)


async def _service(settings: Settings) -> list[Advice]:
    """Check whether the API answers, which sign-in it accepts, and what time it has."""
    try:
        async with connect_briefly(settings, keeper_for(settings)) as connection:
            found = await _answers(connection, settings)
            sign_in = Advice("sign-in", True, connection.bearer.kind.replace("_", " "))
            if len(found) == 1:  # the API, which did not answer: its token was not looked at
                sign_in = Advice("sign-in", False, f"{sign_in.found}, not tried", "See API.")
            return [sign_in, *found, _clock(connection.sender.clock_ahead)]
    except LoginNeeded as error:
        return [Advice("sign-in", False, str(error), f"Register an app on {_DOWNLOADS}; see docs/getting-access.md.")]
    except HarvestError as error:
        return [Advice("sign-in", False, str(error), "See the message.")]


async def _answers(connection: Connection, settings: Settings) -> list[Advice]:
    try:
        with suppress(Gone):  # an answer like any other
            await connection.client.find(_PAGE)
        lines = [Advice("API", True, f"{settings.api_url} answers"), Advice("token", True, "accepted")]
    except AuthError as error:
        answered = connection.sender.clock_ahead is not None
        return [
            Advice("API", answered, f"{settings.api_url} {'answers' if answered else 'was not asked'}"),
            _refused(error),
        ]
    except HarvestError as error:
        return [Advice("API", False, f"{settings.api_url}: {error}", "Check the connection, then try again later.")]
    if connection.bearer.kind in ("client_credentials", "access_token", "imported"):
        return [*lines, Advice("/me", True, "not asked: this sign-in need not be a person's")]
    try:
        name, urn = await connection.client.me()
    except HarvestError as error:
        return [*lines, Advice("/me", False, str(error), "Run `harvest auth login`.")]
    return [*lines, Advice("/me", True, f"{name} ({urn})")]


def _refused(error: Exception) -> Advice:
    return Advice("token", False, str(error), f"Compare id and secret with {_DOWNLOADS}, or run `harvest auth login`.")


def _clock(seconds_ahead: float | None) -> Advice:
    if seconds_ahead is None:
        return Advice("clock", True, "the service does not say what time it has")
    if trouble := clock_trouble(seconds_ahead):
        return Advice("clock", False, trouble, "Switch on the automatic time of your system.")
    return Advice("clock", True, f"within {abs(seconds_ahead) + 1:.0f} s of the service's")


def _file(path: Path) -> Advice:
    """Look into the database, quickly."""
    try:
        with open_if_begun(path) as connection, storage_errors(path, writes=False):
            if connection is None:
                return Advice("file", True, f"nothing is in {path} yet; a crawl makes it")
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(1)")]
    except (HarvestError, sqlite3.Error) as error:
        return Advice("file", False, str(error), "Use another file with --cache-path.")
    if found != ["ok"]:
        return Advice("file", False, f"{path} is damaged: {found[0]}", "Copy it away, then crawl into a new file.")
    return Advice("file", True, f"{path} is sound; `harvest verify` looks closer")


def _disk(path: Path) -> Advice:
    """See whether there is room where the file is, or will be, and whether it can be written."""
    folder = next(p for p in [path.absolute().parent, *path.absolute().parents] if p.exists())
    free = shutil.disk_usage(folder).free
    if not os.access(path if path.exists() else folder, os.W_OK):
        return Advice(
            "disk", False, f"{path} cannot be written", "Give access, or use another place with --cache-path."
        )
    text = f"{free / (1 << 30):,.1f} GB free in {folder}"
    return Advice("disk", free >= _ROOM_WANTED, text, "" if free >= _ROOM_WANTED else "Free some space first.")


def _shown(line: Advice) -> str:
    return f"{'ok' if line.ok else '!!':3} {line.name:26} {line.found}" + (
        f"\n{'':30} → {line.to_do}" if line.to_do else ""
    )
