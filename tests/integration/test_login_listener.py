"""Where the sign-in in the browser ends: a listener on this machine, at the very address that is registered."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

import pytest

from harvest.auth import login
from harvest.auth.pkce import begin


def free(host: str) -> int:
    """A port that nobody has; no test without such an address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        try:
            tried.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        return int(tried.getsockname()[1])


@pytest.mark.parametrize(("host", "name"), [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "localhost"), ("::1", "[::1]")])
def test_the_redirect_address_is_listened_at_as_it_is_written(host, name):
    address = f"http://{name}:{free(host)}/callback"
    with login.catching(begin("a-client", address)):
        with pytest.raises(urllib.error.HTTPError) as answered:  # no sign-in of ours
            urllib.request.urlopen(address, timeout=10)
        answered.value.close()
        assert answered.value.code < 500
