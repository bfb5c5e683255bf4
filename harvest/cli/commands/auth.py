"""Sign in, look at the sign-in, renew it, sign out."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import webbrowser
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from harvest.auth import pkce
from harvest.auth.credential_chain import Chain, Credentials, configured, fingerprint, kind_of_login
from harvest.auth.exchange import Exchange
from harvest.auth.login import catching, held, read_pasted, swap
from harvest.auth.pkce import Attempt
from harvest.auth.token_files import read_token_file
from harvest.auth.token_store import Keeper, KeptToken, TokenStore
from harvest.cli.few_requests import connect_briefly
from harvest.cli.options.budgets import Seconds
from harvest.cli.options.crawl import json_option, log_options
from harvest.cli.options.environment import own_settings
from harvest.cli.options.types import Place
from harvest.errors import ApiError, CredentialsMissing, LoginNeeded, SettingsError
from harvest.settings import Settings
from harvest.system.clock import SystemClock, as_text
from harvest.system.logs import printable
from harvest.wiring import keeper_for

_HOW = {
    "access_token": "the access token in SOUNDCLOUD_ACCESS_TOKEN",
    "refresh_token": "the tokens that SOUNDCLOUD_REFRESH_TOKEN became",
    "login": "a login",
    "imported": "imported tokens, a person's or an app's",
    "client_credentials": "client credentials: the app itself, which is enough for everything but one's own account",
}


class AuthGroup(click.Group):
    """Takes options before the command as well as after it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands in the order of a first acquaintance."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command first."""
        named = next((arg for arg in args if arg in self.commands), None)
        if named is not None and args[0] != named and args[0].startswith("-"):
            args.remove(named)
            args.insert(0, named)
        return super().parse_args(ctx, args)


@click.group(cls=AuthGroup, context_settings={"max_content_width": 100})
def auth() -> None:
    """Sign in, show the sign-in, renew it, sign out.

    With SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET set, a crawl needs no login. A login acts for a person, and
    is used until `harvest auth logout`.
    """


@auth.command()
@click.option(
    "--no-browser",
    is_flag=True,
    help="Print the address to open, and read the one the browser ends at from the terminal.",
)
@click.option(
    "--redirect-uri", help="Where the login ends, exactly as registered.  [default: http://127.0.0.1:8765/callback]"
)
@click.option("--timeout", type=Seconds(1, 86_400), default=600, show_default=True, help="Seconds to wait.")
@log_options
def login(no_browser: bool, redirect_uri: str | None, timeout: float) -> int:
    """Sign in as a person, in the browser.

    Register the redirect address once, on soundcloud.com/you/apps: http://127.0.0.1:8765/callback, or another one that
    you pass with --redirect-uri or SOUNDCLOUD_REDIRECT_URI. The two must match exactly.
    """
    settings = own_settings()
    client_id, _ = _client(settings)
    _ensure_kept(settings)
    keeper = keeper_for(settings)
    attempt = pkce.begin(client_id, redirect_uri or settings.redirect_uri)
    address = pkce.authorize_url(settings.auth_url, attempt)
    code = (
        _code_by_paste(address, attempt) if no_browser or _is_remote() else _code_by_browser(address, attempt, timeout)
    )
    kept = asyncio.run(_finish_login(settings, keeper, code, attempt))
    click.echo(f"Signed in{f' as {kept.user}' if kept.user else ''}. Kept in {keeper.store('login').where}.")
    if settings.refresh_token or settings.access_token:
        name = "SOUNDCLOUD_REFRESH_TOKEN" if settings.refresh_token else "SOUNDCLOUD_ACCESS_TOKEN"
        click.echo(
            f"Note: {name} is set and counts before this login; take it out of the environment or .env.", err=True
        )
    return 0


@auth.command()
@json_option()
@log_options
def status(as_json: bool) -> int:
    """Show how you are signed in, to which account, until when, and where tokens are stored. Sends no request."""
    try:
        seen = sign_in_status()
    except LoginNeeded as error:
        if not as_json:
            raise
        click.echo(json.dumps({"mode": None, "problem": str(error)}))
        return error.exit_code
    if as_json:
        click.echo(json.dumps(seen))
        return 0
    click.echo(f"Signed in with {_HOW[seen['mode']]}.")
    for name in ("user", "client_id", "sign_in_service", "token", "expires_at", "renews_itself", "kept_in"):
        if seen[name] is not None:
            click.echo(f"  {name.replace('_', ' '):16} {_plain(seen[name])}")
    for other in seen["otherwise"]:
        click.echo(f"  {'otherwise':16} {_HOW[other]}")
    return 0


@auth.command()
@log_options
def refresh() -> int:
    """Renew the tokens now. Refused tokens are reported, and nothing else is tried."""
    settings = own_settings()
    asyncio.run(_refresh(settings, keeper_for(settings)))
    seen = sign_in_status()
    click.echo(f"Renewed; good until {seen['expires_at'] or 'refused'}.")
    return 0


@auth.command()
@log_options
def logout() -> int:
    """Sign out of SoundCloud, and delete the tokens stored for this app."""
    settings = own_settings()
    if not settings.client_id:
        raise LoginNeeded("Sign-ins are kept per app: set SOUNDCLOUD_CLIENT_ID to say which one is to be forgotten.")
    click.echo("\n".join(asyncio.run(_sign_out(settings, keeper_for(settings)))))
    if settings.access_token or settings.refresh_token:
        click.echo("Note: there are tokens in the environment or in .env; take them out as well.", err=True)
    return 0


@auth.command("import")
@click.argument("file", type=Place(exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Import the tokens even if the stored login was renewed from them.")
@log_options
def import_(file: Path, force: bool) -> int:
    """Import the tokens of another tool from its JSON file or .env.

    Reads access_token, refresh_token, expires_at or expires_in, and scope; does not change the file. After the first
    renewal, the copy in the file no longer works, because each refresh token works once.
    """
    settings = own_settings()
    _client(settings)
    _ensure_kept(settings)
    clock = SystemClock()
    token = read_token_file(file, clock.now())
    origin = fingerprint(token.refresh_token or token.access_token)
    store = keeper_for(settings).store("login")
    with held(store, clock):
        before = store.load()
        if before and before.origin == origin and not force:
            click.echo("The stored tokens grew out of this file, so they are newer than the file: nothing to do.")
            return 0
        store.save(KeptToken(token, origin))
    click.echo(f"Imported from {file}. Kept in {store.where}.")
    if not token.refresh_token:
        click.echo("There is no refresh token in it: it lasts until SoundCloud refuses it, about an hour.", err=True)
    return 0


def sign_in_status() -> dict[str, Any]:
    """Tell how we would sign in just now; raises LoginNeeded."""
    settings = own_settings()
    credentials = Credentials.checked(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        access_token=settings.access_token,
        refresh_token=settings.refresh_token,
    )
    chains = configured(credentials, keeper_for(settings))
    if not chains:
        raise CredentialsMissing(credentials.missing)
    return _told(chains, settings)


def _told(chains: list[Chain], settings: Settings) -> dict[str, Any]:
    chain = chains[0]
    kept = chain.kept()
    expires_at, good = _life(kept)
    renews = bool(settings.client_id and settings.client_secret) and (
        chain.can_grant or bool(kept.token and kept.token.refresh_token)
    )
    return {
        "mode": chain.kind,
        "user": kept.user or None,
        "user_urn": kept.user_urn or None,
        "client_id": settings.client_id,
        "sign_in_service": settings.auth_url,
        "token": good,
        "expires_at": expires_at,
        "renews_itself": renews,
        "kept_in": chain.store.where if kept.token and kept.token != chain.given else None,
        "otherwise": [other.kind for other in chains[1:]],
    }


def _life(kept: KeptToken) -> tuple[str | None, str]:
    """Say until when the token lives, and whether it still does."""
    token = kept.token
    if token is None or not token.access_token:
        return None, "none yet; the first request asks for one"
    if token.expires_in is None or not token.obtained_at:
        return None, "used until it is refused"
    ends = datetime.fromisoformat(token.obtained_at) + timedelta(seconds=token.expires_in)
    return as_text(ends), "good" if ends > SystemClock().now() else "expired; the next request renews it"


def _client(settings: Settings) -> tuple[str, str]:
    """Give id and secret, which every login needs."""
    found = Credentials.checked(client_id=settings.client_id, client_secret=settings.client_secret)
    if found.client is None:
        raise CredentialsMissing(found.missing)
    return found.client


def _ensure_kept(settings: Settings) -> None:
    """Refuse where a login would be lost, or would go to an address from a file in a folder."""
    if address := settings.strange_address:
        raise SettingsError(
            f"{address.variable} comes from {address.source}: harvest does not sign in at an address from a file in a "
            "folder. If you trust it, set it in the environment."
        )
    if settings.credential_store == "memory":
        raise SettingsError("HARVEST_CREDENTIAL_STORE=memory keeps nothing, so a login would be lost: unset it first.")


def _is_remote() -> bool:
    """Say whether no browser can be opened here."""
    if os.environ.get("SSH_CONNECTION"):
        return True
    try:
        webbrowser.get()
    except webbrowser.Error:
        return True
    return False


def _code_by_browser(address: str, attempt: Attempt, seconds: float) -> str:
    with catching(attempt) as catcher:
        click.echo(f"Opening your browser. If nothing happens, open this address yourself:\n\n  {address}\n", err=True)
        click.echo(
            f"The redirect address must be registered with your app as {printable(attempt.redirect_uri)}", err=True
        )
        webbrowser.open(address)
        return catcher.wait(seconds)


def _code_by_paste(address: str, attempt: Attempt) -> str:
    click.echo(f"Open this address in any browser, on any machine, and confirm:\n\n  {address}\n", err=True)
    click.echo(
        f"It ends at {printable(attempt.redirect_uri)}... (which must be registered with your app; it is fine if the"
        " page does not load). Copy the whole address from the browser's address bar and paste it here:",
        err=True,
    )
    return read_pasted(sys.stdin.readline, lambda text: click.echo(text, err=True), attempt)


async def _finish_login(settings: Settings, keeper: Keeper, code: str, attempt: Attempt) -> KeptToken:
    """Swap the code, keep the pair at once, then ask whose it is."""
    clock, store = SystemClock(), keeper.store("login")
    with held(store, clock):
        store.prepare()
        async with connect_briefly(_bare(settings)) as connection:
            kept = await swap(code, attempt, Exchange(connection.door, clock), _client(settings))
            store.save(kept)  # at once: nothing awaits in between
    try:
        async with connect_briefly(_bare(settings), keeper, fall_back=False) as connection:
            user, urn = await connection.client.me()
    except ApiError as error:
        click.echo(f"The account of this login could not be looked up: {error}", err=True)
        return kept
    with held(store, clock):
        kept = replace(store.load() or kept, user=user, user_urn=urn)
        store.save(kept)
    return kept


async def _refresh(settings: Settings, keeper: Keeper) -> None:
    async with connect_briefly(settings, keeper, fall_back=False) as connection:
        await connection.bearer.renew_now()


async def _sign_out(settings: Settings, keeper: Keeper) -> list[str]:
    """Sign out of every way of signing in that is kept for this app; give what to tell."""
    told, clock = [], SystemClock()
    for kind in ("login", "refresh_token", "access_token", "client_credentials"):
        store = keeper.store(kind)
        kept = store.load()
        if kept is None:
            continue
        with held(store, clock):
            kept = store.load() or kept
            token = kept.token.access_token if kept.token else ""
            how = _HOW[kind_of_login(kept) if kind == "login" else kind]
            try:
                async with connect_briefly(_anyone(settings)) as connection:
                    ended = await connection.door.sign_out(token) if token else True
                told.append(f"Signed out of {how}." if ended else f"Forgot {how}: it was not good any more.")
            except Exception as error:  # whatever the service says, the person wants this gone
                told.append(f"Forgot {how}, but the service did not confirm it: {error} It ends within the hour.")
            _forget(store, kept, keep_mark=kind in ("refresh_token", "access_token"))
    return told or ["Nothing is kept for this app, so there is nothing to sign out of."]


def _forget(store: TokenStore, kept: KeptToken, *, keep_mark: bool) -> None:
    """Drop the tokens; of what came from the environment the fingerprint stays, so that it is not tried again."""
    if keep_mark:
        store.save(KeptToken(origin=kept.origin, ended=True))
    else:
        store.forget()


def _bare(settings: Settings) -> Settings:
    """Leave out tokens of the environment: a login begins again."""
    return replace(settings, access_token=None, refresh_token=None)


def _anyone(settings: Settings) -> Settings:
    """Make settings that can open the door without signing in."""
    return replace(settings, access_token="none", refresh_token=None)


def _kept(token: Any, origin: str) -> KeptToken:
    return KeptToken(token, origin)


def _plain(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else printable(str(value))
