"""Read the environment once into frozen Settings.

Order: flag, then environment, then `.env` in the working directory, then default. Flags reach us as options of the
commands; this file reads the rest. Secrets never show in a repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from harvest.errors import SettingsError

DEFAULT_PATH = Path("data/cache/tracks.db")  # of the file; HARVEST_CACHE_PATH is an option's
API_URL = "https://api.soundcloud.com"
AUTH_URL = "https://secure.soundcloud.com"
REDIRECT_URI = "http://127.0.0.1:8765/callback"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the service is, who we are there, and how patient we are."""

    api_url: str = API_URL
    auth_url: str = AUTH_URL
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    redirect_uri: str = REDIRECT_URI
    credential_store: str = "file"
    hold_seconds: float = 30.0
    retry_seconds: float = 1.0
    request_seconds: float = 60.0

    @property
    def is_real_service(self) -> bool:
        """Say whether we talk to SoundCloud itself."""
        return urlsplit(self.api_url).hostname not in _LOOPBACK


# Environment name → (field, what it is). The README shows this table; a test holds the two together.
VARIABLES: dict[str, tuple[str, str]] = {
    "SOUNDCLOUD_CLIENT_ID": ("client_id", "id of your registered app"),
    "SOUNDCLOUD_CLIENT_SECRET": ("client_secret", "its secret"),
    "SOUNDCLOUD_ACCESS_TOKEN": ("access_token", "an access token you have; used until it is refused"),
    "SOUNDCLOUD_REFRESH_TOKEN": ("refresh_token", "the refresh token that came with it"),
    "SOUNDCLOUD_REDIRECT_URI": ("redirect_uri", f"where `harvest auth login` ends, as registered ({REDIRECT_URI})"),
    "SOUNDCLOUD_API_URL": ("api_url", f"address of the API ({API_URL})"),
    "SOUNDCLOUD_AUTH_URL": ("auth_url", f"address of the sign-in service ({AUTH_URL})"),
    "HARVEST_CREDENTIAL_STORE": ("credential_store", "where sign-ins are kept: file, keyring or memory (file)"),
    "HARVEST_HOLD_SECONDS": ("hold_seconds", "first wait after a refusal that names no time (30)"),
    "HARVEST_RETRY_SECONDS": ("retry_seconds", "first pause before a failed request is tried again, doubling (1)"),
    "HARVEST_REQUEST_SECONDS": ("request_seconds", "a request may take this long in all (60)"),
}
CREDENTIAL_STORES = ("file", "keyring", "memory")
_LEAST = {"hold_seconds": 0.0, "retry_seconds": 0.0, "request_seconds": 0.1}  # a request in no time at all fails


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Build Settings from environment variables; empty ones count as missing. Raises SettingsError."""
    values: dict[str, str | float] = {}
    for variable, (name, _) in VARIABLES.items():
        text = environ.get(variable, "").strip()
        if text:
            values[name] = _seconds(variable, text, least=_LEAST[name]) if name in _LEAST else text
    for variable in ("SOUNDCLOUD_API_URL", "SOUNDCLOUD_AUTH_URL"):
        name = VARIABLES[variable][0]
        if name in values:
            values[name] = _address(variable, str(values[name]))
    if values.get("credential_store", "file") not in CREDENTIAL_STORES:
        raise SettingsError(f"HARVEST_CREDENTIAL_STORE must be one of {', '.join(CREDENTIAL_STORES)}.")
    return Settings(**values)  # type: ignore[arg-type]  # names and types follow VARIABLES


def _seconds(variable: str, text: str, *, least: float) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not least <= seconds < 1e6:
        from_on = f" from {least:g} on" if least else ""
        raise SettingsError(f"{variable} must be a number of seconds{from_on}, not {text!r}.")
    return seconds


def _address(variable: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise SettingsError(f"{variable} must be an address such as {API_URL}, its port at most 65535.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{variable} must be an address such as {API_URL}, not {text!r}.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise SettingsError(f"{variable} must use https: plain http is for addresses on this machine only.")
    return text.rstrip("/")
