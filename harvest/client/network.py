"""How this computer reaches the network: proxies and certificates, as the usual variables say. Pure, but for files.

HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY in either spelling, small letters first; SSL_CERT_FILE, SSL_CERT_DIR and
SSLKEYLOGFILE. They count from the environment alone, never from a `.env`. A value that cannot be used raises
SettingsError and is not quoted: it may hold a password.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.request import getproxies

import httpx

from harvest.errors import ExtraMissing, SettingsError

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SCHEMES = ("http", "https", "socks5", "socks5h")
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


@dataclass(frozen=True, slots=True)
class Proxy:
    """The address of a proxy, and the variable that names it."""

    variable: str
    url: httpx.URL

    def trusting(self, context: ssl.SSLContext) -> httpx.Proxy:
        """Give it to httpx, with the authorities to trust when the proxy itself is reached by TLS."""
        return httpx.Proxy(self.url, ssl_context=context if self.url.scheme == "https" else None)


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxy leads to what: `by_scheme` has http, https and all; `direct` are the entries of NO_PROXY."""

    by_scheme: Mapping[str, Proxy]
    direct: tuple[str, ...] = ()

    def leading_to(self, address: str) -> Proxy | None:
        """Give the proxy on the way to an address; None when there is none. Raises ExtraMissing for SOCKS."""
        if not self.by_scheme:
            return None
        url = httpx.URL(address)
        proxy = self.by_scheme.get(url.scheme) or self.by_scheme.get("all")
        if proxy is None or url.host in LOOPBACK or any(_means(entry, url) for entry in self.direct):
            return None
        if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
            raise ExtraMissing(f"{proxy.variable} names a SOCKS proxy, which", "socksio", "socks")
        return proxy


def read_proxies(environ: Mapping[str, str]) -> Proxies:
    """Read the variables, or, when no proxy is named there, what the system's settings say (macOS, Windows)."""
    named = {}
    for scheme in ("http", "https", "all"):
        variable = next((v for v in (f"{scheme}_proxy", f"{scheme}_proxy".upper()) if v in environ), "")
        if variable and environ[variable].strip():
            named[scheme] = (variable, environ[variable].strip())
    if not named:
        found = {scheme: value for scheme, value in getproxies().items() if scheme in ("http", "https")}
        named = {scheme: (f"The system's {scheme} proxy", value) for scheme, value in found.items()}
    direct = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return Proxies(
        {scheme: Proxy(variable, _address(variable, value)) for scheme, (variable, value) in named.items()},
        tuple(re.split(r"[\s,]+", direct.strip().lower())),
    )


def tls_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Give the authorities to trust: those that come with httpx, unless a variable names others."""
    file, folder = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    variable = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
    try:
        if not file and folder and not Path(folder).is_dir():  # it would be taken for one that is empty
            raise NotADirectoryError(0, "No such folder")
        if file or folder:
            return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
        return httpx.create_ssl_context(trust_env=False)
    except OSError as error:  # ssl.SSLError too; Python itself reads SSLKEYLOGFILE here
        variable = variable if _is_key_log_good(environ) else "SSLKEYLOGFILE"
        raise SettingsError(f"{variable} cannot be used: {error.strerror or type(error).__name__}.") from error


def _is_key_log_good(environ: Mapping[str, str]) -> bool:
    path = environ.get("SSLKEYLOGFILE")
    try:
        if path:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).keylog_filename = path
    except OSError:
        return False
    return True


def _address(variable: str, value: str) -> httpx.URL:
    try:
        url = httpx.URL(value if "://" in value else f"http://{value}")
    except (httpx.InvalidURL, TypeError):
        url = httpx.URL("")
    if url.scheme not in _SCHEMES or not url.host or not 0 < (url.port or 1) < 65536:
        raise SettingsError(
            f"{variable} names no proxy that can be used: write it as http://host:port or socks5://host:port, or unset "
            "it."
        )
    return url


def _means(entry: str, url: httpx.URL) -> bool:
    """Say whether an entry of NO_PROXY means this address; entries that mean nothing mean no address."""
    return entry == "*" or any(
        _is_within(host, url.host) for host, port in _readings(entry) if port is None or port == _port(url)
    )


def _readings(entry: str) -> Iterator[tuple[str, int | None]]:
    """Give what an entry may mean as host and port: `::1`, `[::1]:80`, `.example.org`, `a.org:443`, `10.0.0.0/8`."""
    entry = entry.rpartition("://")[2]
    yield entry.strip("[]"), None
    if with_port := re.fullmatch(r"(\[[^]]*\]|[^:]*):(\d{1,5})", entry):
        yield with_port[1].strip("[]"), int(with_port[2])


def _is_within(what: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(what, strict=False)
    except ValueError:
        name = what.removeprefix("*").removeprefix(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
