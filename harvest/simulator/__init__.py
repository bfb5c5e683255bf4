"""A made-up SoundCloud behind a real local port: a second opinion on the API, for demonstrations and tests."""

from harvest.simulator.faults import Fault, parse_faults
from harvest.simulator.faults import describe as describe_faults
from harvest.simulator.server import Server, run_in_thread, serve
from harvest.simulator.tokens import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Terms
from harvest.simulator.truth import Truth
from harvest.simulator.world import World

__all__ = [
    "DEMO_CLIENT_ID",
    "DEMO_CLIENT_SECRET",
    "Fault",
    "Server",
    "Terms",
    "Truth",
    "World",
    "describe_faults",
    "parse_faults",
    "run_in_thread",
    "serve",
]
