"""Walk a person through the browser login and catch the redirect.

in: a sign-in that was begun; out: the code; never: a word of the redirect in a log, a listener beyond this machine.

Rule 1. The listener is bound to 127.0.0.1, or ::1, and ends with the sign-in, or after ten minutes.
Rule 2. A request without our state is answered and otherwise ignored: any program on this machine can knock.
Rule 3. What is pasted is believed on the same terms as what the browser brings.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from urllib.parse import urlsplit

from harvest.auth import pkce
from harvest.auth.exchange import Exchange
from harvest.auth.grants import InvalidGrant, authorization_code
from harvest.auth.pkce import Attempt, NotOurRedirect
from harvest.auth.token_store import KeptToken, TokenStore
from harvest.errors import Blocked, LoginNeeded, SettingsError
from harvest.system import redaction
from harvest.system.clock import Clock

TEN_MINUTES = 600.0
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>harvest</title><h1>{title}</h1><p>{text}</p></html>'
)
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'",
    "Connection": "close",
}


class Catcher:
    """Waits on this machine for the browser to come back."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._done = threading.Event()
        self._code = ""
        self._refusal: LoginNeeded | None = None

    def wait(self, seconds: float = TEN_MINUTES) -> str:
        """Give the code; raise LoginNeeded when the person said no, or nothing at all for too long."""
        if not self._done.wait(seconds):
            raise LoginNeeded(f"No sign-in within {seconds / 60:g} minutes. Run `harvest auth login` again.")
        if self._refusal:
            raise self._refusal
        return self._code

    def answer(self, target: str) -> tuple[int, str, str]:
        """Look at a request; give status, title and text of the page that answers it."""
        wanted = urlsplit(self._attempt.redirect_uri).path.rstrip("/")
        if urlsplit(target).path.rstrip("/") != wanted:
            return 404, "Nothing here", "This is where the sign-in of harvest ends."
        try:
            code = pkce.read_redirect(target, self._attempt)
        except NotOurRedirect:
            return 400, "Not this sign-in", "Please use the address that harvest has just shown, and no older one."
        except LoginNeeded as refusal:
            self._refusal = self._refusal or refusal
            return 200, "Not signed in", "You can close this tab."
        redaction.remember(code)
        self._code = self._code or code
        return 200, "Signed in", "harvest goes on in the terminal. You can close this tab."

    def answered(self, status: int) -> None:
        """Stop waiting, once the page that says so has been sent."""
        if status == 200:
            self._done.set()


@contextmanager
def catching(attempt: Attempt) -> Iterator[Catcher]:
    """Listen at the redirect address; raise SettingsError when that is not possible."""
    port = urlsplit(attempt.redirect_uri).port
    if urlsplit(attempt.redirect_uri).hostname not in pkce.LOOPBACK or not port:
        raise SettingsError(
            f"{attempt.redirect_uri} is no address of this machine with a port: sign in with --no-browser and paste "
            "the address at which the browser ends up."
        )
    catcher = Catcher(attempt)
    try:
        kind = _ListenerOfSix if urlsplit(attempt.redirect_uri).hostname == "::1" else _Listener
        server = kind((kind.home, port), _handler(catcher))
    except OSError as error:
        raise SettingsError(
            f"Port {port} of {attempt.redirect_uri} cannot be used ({error.strerror}): end the program that has it, "
            "sign in with --no-browser, or register another redirect address and name it with --redirect-uri."
        ) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="login", daemon=True)
    thread.start()
    try:
        yield catcher
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def read_pasted(read: Callable[[], str], say: Callable[[str], None], attempt: Attempt, *, tries: int = 3) -> str:
    """Take the address a person pastes, with patience; raise LoginNeeded when it never fits."""
    for left in reversed(range(tries)):
        line = read()
        if not line:  # no one is there to paste anything
            break
        address = line.strip()
        try:
            code = pkce.read_redirect(address, attempt)
        except NotOurRedirect as error:
            say(f"That is not it: {error}." + (" Once more:" if left else ""))
            continue
        redaction.remember(code)
        return code
    raise LoginNeeded("No address fitted. Run `harvest auth login` again.")


async def swap(code: str, attempt: Attempt, exchange: Exchange, client: tuple[str, str]) -> KeptToken:
    """Swap the code for tokens; raise LoginNeeded when the service does not accept it."""
    redaction.remember(code, attempt.verifier)
    try:
        token = await exchange.ask(
            "authorization_code",
            lambda place: authorization_code(code, attempt.verifier, attempt.redirect_uri, *client, placement=place),
        )
    except InvalidGrant:
        raise LoginNeeded(
            "SoundCloud does not accept the code that came back: it works once, for a short time, and only if "
            f"{attempt.redirect_uri} is registered letter by letter on soundcloud.com/you/apps. Sign in again."
        ) from None
    return KeptToken(token, placements=exchange.placements)


@contextmanager
def held(store: TokenStore, clock: Clock, patience: float = 30.0) -> Iterator[None]:
    """Hold a store's lock for a moment, outside any event loop's work; raise Blocked when another process has it."""
    ends = clock.monotonic() + patience
    while not store.try_lock():
        if clock.monotonic() > ends:
            raise Blocked("Another harvest process is renewing the sign-in; try again when it is done.")
        time.sleep(0.05)
    try:
        yield
    finally:
        store.unlock()


class _Listener(ThreadingTCPServer):
    """One thread per connection: browsers open some in advance and say nothing on them."""

    home = "127.0.0.1"
    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would let another program take the port

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that hung up."""


class _ListenerOfSix(_Listener):
    """The same where the redirect address is `[::1]`."""

    home = "::1"
    address_family = socket.AF_INET6


def _handler(catcher: Catcher) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5.0  # a program that knocks and says nothing is not waited for

        def do_GET(self) -> None:
            """Answer the browser."""
            status, title, text = catcher.answer(self.path)
            page = _PAGE.format(title=title, text=text).encode()
            self.send_response(status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
            self.wfile.flush()
            catcher.answered(status)

        def log_message(self, *_: object) -> None:
            """Say nothing: the request line holds the code."""

    return Handler
