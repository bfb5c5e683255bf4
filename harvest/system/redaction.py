"""Know the secrets of this process, and hide them in any text. Imports nothing of harvest.

Patterns catch secrets that stand where secrets usually stand; what is remembered here is caught anywhere.
"""

from __future__ import annotations

import re

_SHORTEST = 8  # shorter ones would hide half of every text; no real token is that short
_MOST = 200  # a long crawl renews often; the oldest tokens are long dead
_remembered: dict[str, None] = {}
_SECRET_IN_TEXT = re.compile(
    r"((?:(?:access|refresh|secret|oauth)_token|client_secret|(?<![A-Za-z_])code(?:_verifier)?)"
    r"['\"]?(?:=|: ?)(?:b?['\"])?)[^&\s\"',}\\]+"
    r"|((?:OAuth|Bearer|Basic) )[\w.~+/=-]+"
    r"|(/|%2[Ff])s-[A-Za-z0-9]+",
)


def remember(*secrets: str | None) -> None:
    """Hide these from now on, wherever they turn up."""
    for secret in secrets:
        if secret and len(secret) >= _SHORTEST:
            _remembered.pop(secret, None)
            _remembered[secret] = None
    while len(_remembered) > _MOST:
        del _remembered[next(iter(_remembered))]


def without_secrets(text: str) -> str:
    """Hide tokens, secrets and private links' secrets inside a text."""
    for secret in _remembered:
        if secret in text:
            text = text.replace(secret, "***")
    return _SECRET_IN_TEXT.sub(lambda m: f"{m[1] or m[2] or m[3]}***", text)
