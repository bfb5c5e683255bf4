"""Probe a simulated world inside a test, as the app, as a person who is signed in, or as both."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from harvest.auth.grants import Token
from harvest.auth.token_store import Keeper, KeptToken, MemoryKeeper
from harvest.client.budget import Budget
from harvest.probing.credentials import at_hand, clients
from harvest.probing.probe import Probe
from harvest.probing.report import Report
from harvest.simulator import Server, World, serve
from harvest.system.clock import SystemClock
from tests.crawling import settings_for

NOW = datetime(2026, 11, 21, tzinfo=UTC)
QUICK = {"hold_seconds": 0.002, "retry_seconds": 0.001}

# Everybody likes, follows and has made enough for every kind of list to go on after a page.
WORLD = World(11, users=150, tracks=500, likes_per_user=60, follows_per_user=60, reposts_per_user=50, artists=0.9,
              playlists=1200, seed_likers=90, seed_reposters=70)  # fmt: skip


def login_of(server: Server) -> MemoryKeeper:
    """Keep a person's login, as `harvest auth login` does."""
    keeper = MemoryKeeper()
    pair = Token(server.token(user=True), server.service.tokens.refresh_token(user=True))
    keeper.store("login").save(KeptToken(pair, user="somebody"))
    return keeper


async def probe_server(
    server: Server,
    address: str = "",
    *,
    keeper: Keeper | None = None,
    budget: Budget | None = None,
    credentials: Sequence[str] = (),
    **settings: Any,
) -> Report:
    """Probe a served world to its end."""
    wanted, keeper = settings_for(server, **{**QUICK, **settings}), keeper or MemoryKeeper()
    with_whom = list(credentials) or at_hand(wanted, keeper)
    work, budget = Probe(with_whom, address), budget or Budget()
    clock = SystemClock()
    async with clients(with_whom, wanted, keeper, clock=clock, budget=budget, delay=0.0) as opened:
        await work.run(opened)
    return work.report("whole", budget.requests, NOW)


def probe_world(
    world: World = WORLD, address: str = "", *, faults: str = "", signed_in: bool = False, **settings: Any
) -> Report:
    """Serve a world and probe it; with `signed_in`, as a person as well as the app."""

    async def scene() -> Report:
        async with serve(world, faults=faults) as server:
            keeper = login_of(server) if signed_in else None
            return await probe_server(server, address, keeper=keeper, **settings)

    return asyncio.run(scene())


def told(report: Report) -> list[str]:
    """Give the lines of the differences."""
    return [one.line for one in report.differences]
