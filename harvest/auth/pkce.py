"""Verifier, challenge, state and authorize URL; and what comes back in the redirect. Pure.

Rule 1. The verifier never leaves this process before the exchange; the browser sees its SHA-256 alone (RFC 7636, S256).
Rule 2. `state` is compared before anything else of a redirect is believed.
Rule 3. The redirect address is compared by the service as a string (soundcloud/api issues 82, 341), so it is one
setting and goes out unchanged.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from harvest.errors import LoginNeeded, SettingsError

AUTHORIZE_PATH = "/authorize"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotOurRedirect(ValueError):
    """This address does not belong to the sign-in that is under way."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in that is under way."""

    client_id: str
    redirect_uri: str
    verifier: str = field(repr=False)
    state: str = field(repr=False)


def begin(client_id: str, redirect_uri: str) -> Attempt:
    """Start a sign-in with a fresh verifier (86 characters; 43 to 128 are allowed) and a fresh state."""
    return Attempt(client_id, checked_redirect(redirect_uri), secrets.token_urlsafe(64), secrets.token_urlsafe(24))


def challenge(verifier: str) -> str:
    """Give what the browser may see of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def authorize_url(auth_url: str, attempt: Attempt) -> str:
    """Build the address a person opens to say yes (developers.soundcloud.com guide; soundcloud/api issue 351)."""
    query = {
        "client_id": attempt.client_id,
        "redirect_uri": attempt.redirect_uri,
        "response_type": "code",
        "code_challenge": challenge(attempt.verifier),
        "code_challenge_method": "S256",
        "state": attempt.state,
    }
    return f"{auth_url.rstrip('/')}{AUTHORIZE_PATH}?{urlencode(query)}"


def read_redirect(address: str, attempt: Attempt) -> str:
    """Take the code out of a redirect; raise NotOurRedirect, or LoginNeeded when the answer was no."""
    query = parse_qs(urlsplit(address.strip()).query)
    state = query.get("state", [""])[0]
    if not hmac.compare_digest(state.encode(), attempt.state.encode()):
        raise NotOurRedirect("it lacks the state of this sign-in; take the address this very sign-in ended at")
    if "error" in query:
        raise LoginNeeded(f"SoundCloud did not let us in ({_word(query['error'][0])}). Nothing was changed.")
    code = query.get("code", [""])[0]
    if not (code.isascii() and code.isprintable() and code):
        raise NotOurRedirect("it carries no code")
    return code


def checked_redirect(uri: str) -> str:
    """Make sure that a redirect address can be one; it is never changed, since it is compared letter by letter."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise SettingsError("The redirect address must look like http://127.0.0.1:8765/callback, as registered.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise SettingsError("A redirect address on another machine must begin with https://.")
    try:
        _ = parts.port
    except ValueError as error:
        raise SettingsError("The port of the redirect address must be a number up to 65535.") from error
    return uri


def _word(text: str) -> str:
    return text if len(text) <= 40 and text.replace("_", "").isalnum() else "it gave no reason"
