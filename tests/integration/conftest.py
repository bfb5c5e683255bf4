"""What integration tests share."""

from __future__ import annotations

import httpx
import pytest

from harvest.client.connections import Connections


@pytest.fixture
def mocked(httpx_mock, monkeypatch):
    """The mocked wire, to which connections of our own lead as well."""
    monkeypatch.setattr(Connections, "handle_async_request", httpx.AsyncHTTPTransport.handle_async_request)
