"""Read the environment once into frozen Settings.

Order: flag, then environment, then `.env` in the working directory, then default. Flags reach us as options of the
commands; this file reads the rest. Secrets never show in a repr.

An address that a `.env` names gets nothing that was given elsewhere: neither what the environment holds, which is
refused here, nor a sign-in that was kept for another address (`wiring.keeper_for`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from harvest.environment import FROM_PROCESS, Environment, Found
from harvest.errors import SettingsError

DEFAULT_PATH = Path("data/cache/tracks.db")  # of the file; HARVEST_CACHE_PATH is an option's
API_URL = "https://api.soundcloud.com"
AUTH_URL = "https://secure.soundcloud.com"
REDIRECT_URI = "http://127.0.0.1:8765/callback"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SOUNDCLOUDS = {"api_url": API_URL, "auth_url": AUTH_URL}
SECRETS = ("client_secret", "access_token", "refresh_token")


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
    found: Mapping[str, Found] = field(default_factory=dict, repr=False, compare=False)  # where each field came from

    @property
    def strange_address(self) -> Found | None:
        """Give the address that a `.env` names and that is not SoundCloud's own, if there is one."""
        for name, own in _SOUNDCLOUDS.items():
            if name in self.found and self.found[name].is_from_file and getattr(self, name) != own:
                return self.found[name]
        return None

    @property
    def is_real_service(self) -> bool:
        """Say whether we talk to SoundCloud itself."""
        return urlsplit(self.api_url).hostname not in _LOOPBACK


# Environment name → (field, what it is). docs/settings.md shows this table; a test holds the two together.
VARIABLES: dict[str, tuple[str, str]] = {
    "SOUNDCLOUD_CLIENT_ID": ("client_id", "id of your registered app"),
    "SOUNDCLOUD_CLIENT_SECRET": ("client_secret", "its secret"),
    "SOUNDCLOUD_ACCESS_TOKEN": ("access_token", "an access token you have; used until it is refused"),
    "SOUNDCLOUD_OAUTH_TOKEN": ("access_token", "another name of SOUNDCLOUD_ACCESS_TOKEN"),
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


def names_of() -> dict[str, list[str]]:
    """Give the variables of each field; the first is its proper name."""
    names: dict[str, list[str]] = {}
    for variable, (field_name, _) in VARIABLES.items():
        names.setdefault(field_name, []).append(variable)
    return names


def read_settings(environ: Mapping[str, str] | Environment) -> Settings:
    """Build Settings from environment variables; empty ones count as missing. Raises SettingsError."""
    environment = environ if isinstance(environ, Environment) else Environment(environ)
    values: dict[str, str | float] = {}
    found: dict[str, Found] = {}
    for name, variables in names_of().items():
        one = environment.find(*variables)
        if one.value:
            found[name] = one
            values[name] = _seconds(one.variable, one.value, least=_LEAST[name]) if name in _LEAST else one.value
            if name in _SOUNDCLOUDS:
                values[name] = _address(one.variable, one.value)
    if values.get("credential_store", "file") not in CREDENTIAL_STORES:
        raise SettingsError(f"HARVEST_CREDENTIAL_STORE must be one of {', '.join(CREDENTIAL_STORES)}.")
    settings = Settings(**values, found=found)  # type: ignore[arg-type]  # names and types follow VARIABLES
    _ensure_given_together(settings)
    return settings


def _ensure_given_together(settings: Settings) -> None:
    """Keep secrets of the environment from an address that a `.env` names. Raises SettingsError."""
    address = settings.strange_address
    given = [settings.found[name] for name in SECRETS if name in settings.found]
    elsewhere = next((one.variable for one in given if one.source == FROM_PROCESS), None)
    if address and elsewhere:
        raise SettingsError(
            f"{address.variable} comes from {address.source}, {elsewhere} from the environment: it is not sent to an "
            "address that a file of a folder names. If you trust it, set the address in the environment as well."
        )


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


def state_folder() -> Path:
    """Give the folder of this user where harvest keeps what is no result: `~/.local/state/harvest` on Linux."""
    from platformdirs import user_state_path  # commands that read a file do without it

    try:
        return user_state_path("harvest")
    except RuntimeError as error:  # no user with this number, and no HOME
        raise SettingsError(f"Your home directory is unknown ({error}): set HOME or XDG_STATE_HOME.") from error
