"""Proxies and certificates: what the usual variables mean, and which one is to blame."""

from __future__ import annotations

import ssl
from importlib.util import find_spec

import httpx
import pytest

from harvest.client.network import VARIABLES, read_proxies, tls_context
from harvest.client.transport import open_http
from harvest.errors import ExtraMissing, SettingsError

API = "https://api.soundcloud.com"
PROXY = {"HTTPS_PROXY": "http://proxy.corp:8080"}


@pytest.mark.parametrize(
    ("environ", "way"),
    [
        ({}, None),
        (PROXY, "http://proxy.corp:8080"),
        ({"https_proxy": "proxy.corp:8080"}, "http://proxy.corp:8080"),
        ({"https_proxy": "", **PROXY}, None),
        ({"https_proxy": "http://small:1", **PROXY}, "http://small:1"),
        ({"HTTP_PROXY": "http://proxy.corp:8080"}, None),
        ({"ALL_PROXY": " https://user:word@proxy.corp "}, "https://user:word@proxy.corp"),
        ({"all_proxy": "http://all:1", **PROXY}, "http://proxy.corp:8080"),
        ({**PROXY, "ALL_PROXY": "http://[fe80::1]:3128"}, "http://proxy.corp:8080"),
    ],
)
def test_the_proxy_to_the_service(environ, way):
    found = read_proxies(environ).leading_to(API)
    assert (str(found.url) if found else None) == way


BAD = [
    *("http://proxy.corp:port", "http://proxy.corp:99999", "http://user:word@a:b", "http://", "http://[::1"),
    *("socks4://127.0.0.1:9", "ftp://a", "://x", "nonsense://a b", "http://a\x00b"),
]


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_bad_proxy_is_named_and_not_quoted(variable, value):
    with pytest.raises(SettingsError, match=f"^{variable} names no proxy") as raised:
        read_proxies({variable: value})
    assert value.partition("://")[2] in ("", "a") or value not in str(raised.value)


@pytest.mark.parametrize(
    ("entries", "address", "direct"),
    [
        ("*", API, True),
        ("soundcloud.com", API, True),
        (".soundcloud.com", API, True),
        ("*.soundcloud.com", API, True),
        ("SoundCloud.com", API, True),
        ("a.example b.example api.soundcloud.com", API, True),
        ("https://api.soundcloud.com", API, True),
        ("api.soundcloud.com:443", API, True),
        ("api.soundcloud.com:8443", API, False),
        ("cloud.com", API, False),
        ("", API, False),
        (",,", API, False),
        ("fe80::/10", API, False),
        ("localhost,127.0.0.1,::1,[::1]", API, False),
        ("[::1", API, False),
        ("http://[", API, False),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.1.2.3/8", "https://10.9.9.9:8000", True),
        ("10.0.0.0/8", "https://11.0.0.1", False),
        ("fe80::/10", "https://[fe80::7]:8443", True),
        ("[fe80::7]:8443", "https://[fe80::7]:8443", True),
        ("[fe80::7]:443", "https://[fe80::7]:8443", False),
        ("fe80::7", "https://[fe80::7]", True),
        ("", "http://127.0.0.1:8080", True),
        ("", "http://localhost", True),
        ("", "http://[::1]:1", True),
    ],
)
def test_what_is_asked_directly(entries, address, direct):
    proxies = read_proxies({"ALL_PROXY": "http://proxy.corp:8080", "NO_PROXY": entries})
    assert (proxies.leading_to(address) is None) == direct


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_needs_a_library_only_where_it_is_used(scheme):
    proxies = read_proxies({"ALL_PROXY": f"{scheme}://127.0.0.1:9"})
    assert proxies.leading_to("http://127.0.0.1:8080") is None
    if find_spec("socksio") is None:
        with pytest.raises(ExtraMissing, match=r"^ALL_PROXY names a SOCKS proxy, which needs socksio: .*\[socks\]"):
            proxies.leading_to(API)
    else:
        assert str(proxies.leading_to(API).url) == f"{scheme}://127.0.0.1:9"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "/nope.pem"),
        ("SSL_CERT_FILE", "/"),
        ("SSL_CERT_FILE", __file__),
        ("SSL_CERT_DIR", "/nope"),
        ("SSLKEYLOGFILE", "/nope/keys"),
        ("SSLKEYLOGFILE", "/"),
    ],
)
def test_a_bad_certificate_or_log_of_keys_is_named(variable, value, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)  # Python reads SSLKEYLOGFILE from there
    with pytest.raises(SettingsError, match=f"^{variable} cannot be used: "):
        tls_context({variable: value})


def test_good_certificates_are_the_only_ones_trusted(one_authority, tmp_path):
    for environ in ({"SSL_CERT_FILE": str(one_authority)}, {"SSL_CERT_FILE": str(one_authority), "SSL_CERT_DIR": "/x"}):
        context = tls_context(environ)
        assert (len(context.get_ca_certs()), context.verify_mode) == (1, ssl.CERT_REQUIRED)
    assert tls_context({"SSL_CERT_DIR": str(tmp_path)}).get_ca_certs() == []
    assert len(tls_context({}).get_ca_certs()) > 50


@pytest.mark.parametrize("proxy", ["http://proxy.corp:8080", "https://proxy.corp"])
async def test_the_pool_takes_the_way_of_each_address(proxy):
    addresses = (API, "http://127.0.0.1:8080")
    async with open_http(*addresses, environ={"ALL_PROXY": proxy}) as http:
        kinds = [type(http._transport_for_url(httpx.URL(address))._pool).__name__ for address in addresses]
    assert kinds == ["AsyncHTTPProxy", "AsyncConnectionPool"]
