"""Where requests may go: to the one host that is configured, over an encrypted connection."""

from __future__ import annotations

import pytest

from harvest.client.transport import ServiceAddress
from harvest.errors import SettingsError, UnexpectedReply


@pytest.mark.parametrize("path", ["@evil.example/x", ".evil.example/x", ":8443/x", "\\@evil.example/x"])
def test_no_path_leads_to_another_host(path):
    service = ServiceAddress("https://api.soundcloud.com", "SOUNDCLOUD_API_URL")
    with pytest.raises(UnexpectedReply):
        service.at(path)


def test_a_path_is_asked_of_the_host_whatever_stands_in_it():
    service = ServiceAddress("https://api.soundcloud.com/", "SOUNDCLOUD_API_URL")
    assert service.at("//evil.example/x").host == "api.soundcloud.com"
    assert str(service.at("/tracks/1?a=b")) == "https://api.soundcloud.com/tracks/1?a=b"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://api.soundcloud.com", "must begin with https://"),
        ("http://127.0.0.1.evil.example", "must begin with https://"),
        ("https://user:secret@api.soundcloud.com", "plain address"),
        ("https://api.soundcloud.com?x=1", "plain address"),
        ("ftp://api.soundcloud.com", "plain address"),
        ("https://", "plain address"),
        ("https://api.soundcloud.com:0", "a port that does not exist"),
    ],
)
def test_an_address_that_would_give_credentials_away_is_refused_by_its_name(url, why):
    with pytest.raises(SettingsError, match=why) as refused:
        ServiceAddress(url, "SOUNDCLOUD_API_URL")
    assert str(refused.value).startswith("SOUNDCLOUD_API_URL")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8750", "http://localhost:1", "http://[::1]:8750"])
def test_this_machine_may_be_asked_in_the_open(url):
    assert ServiceAddress(url, "SOUNDCLOUD_API_URL").base == url
