from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from harvest.simulator import World
from harvest.simulator.service.replies import SimReply, SimRequest
from harvest.simulator.service.service import Service


class Caller:
    """Asks a service without a wire between."""

    def __init__(self, world: World, **terms) -> None:
        self.world = world
        self.service = Service(world, **terms)
        self.token = self.service.tokens.access_token()

    def get(self, target: str, *, authorization: str | None = None) -> SimReply:
        headers = {"authorization": authorization or f"OAuth {self.token}"}
        return self.service.handle(SimRequest.of("GET", target, headers))

    def json(self, target: str):
        reply = self.get(target)
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def pages(self, target: str) -> list[dict]:
        """Follow next_href to the end."""
        found = []
        while target:
            page = self.json(target)
            found.append(page)
            parts = urlsplit(page.get("next_href") or "")
            target = f"{parts.path}?{parts.query}" if parts.path else ""
        return found


@pytest.fixture(scope="session")
def world() -> World:
    """A small world with everything odd in it."""
    return World(6, 300, 900, gone=0.05, forbidden=0.05, private=0.05, blocked=0.2, null_users=0.1, hidden_stats=0.1)


@pytest.fixture
def caller(world: World) -> Caller:
    """A caller with a token of this world."""
    return Caller(world)


@pytest.fixture(scope="session")
def call():
    """Make a caller for any world."""
    return Caller
