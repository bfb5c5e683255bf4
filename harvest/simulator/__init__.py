"""A made-up SoundCloud behind a real local port: a second opinion on the API, for demonstrations and tests."""

from harvest.simulator.faults.parse import Fault, parse_faults
from harvest.simulator.faults.parse import describe as describe_faults
from harvest.simulator.oracle import Truth
from harvest.simulator.recorded.exchange import Exchange
from harvest.simulator.recorded.service import Recorded
from harvest.simulator.server.server import Server, run_in_thread, serve
from harvest.simulator.service.tokens import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Terms
from harvest.simulator.truth.changes import Changes
from harvest.simulator.world.drift import Drift
from harvest.simulator.world.world import World

__all__ = [
    "DEMO_CLIENT_ID",
    "DEMO_CLIENT_SECRET",
    "Changes",
    "Drift",
    "Exchange",
    "Fault",
    "Recorded",
    "Server",
    "Terms",
    "Truth",
    "World",
    "describe_faults",
    "parse_faults",
    "run_in_thread",
    "serve",
]
