"""Run the real command line, as a process of its own, against a simulator in this one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import pytest

from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Server, World, run_in_thread
from tests import copying
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
Result = subprocess.CompletedProcess[str]
Started = copying.Process | copying.Copy


@pytest.fixture(scope="session")
def small_world() -> World:
    """Some forty lists to read; every oddity switched on."""
    return World(11, users=60, tracks=300, likes_per_user=30, seed_likers=30, seed_reposters=10, null_entries=0.05)


@pytest.fixture
def server(small_world: World) -> Iterator[Server]:
    """That world behind a port."""
    with run_in_thread(small_world, keep_log=True) as running:
        yield running


def environment(server: Server | None = None, **more: str) -> dict[str, str]:
    """What the command line is to find in its environment."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("SOUNDCLOUD_", "HARVEST_"))}
    environ.update(
        PYTHONPATH=str(ROOT),
        NO_COLOR="1",
        HARVEST_DELAY="0",  # half a second between requests is for those tests that are about it
        HARVEST_HOLD_SECONDS="0.1",
        HARVEST_RETRY_SECONDS="0.01",
    )
    if server is not None:
        environ.update(
            SOUNDCLOUD_API_URL=server.url,
            SOUNDCLOUD_AUTH_URL=server.url,
            SOUNDCLOUD_CLIENT_ID=DEMO_CLIENT_ID,
            SOUNDCLOUD_CLIENT_SECRET=DEMO_CLIENT_SECRET,
        )
    return {**environ, **more}


@pytest.hookimpl(tryfirst=True)  # before what the test's fixtures run
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give every command of a test an interpreter of its own where that is wanted; which tests follows from names."""
    one_in = item.config.getoption("--fresh")
    copying.fresh = one_in > 0 and crc32(item.nodeid.encode()) % one_in == 0


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Run `harvest ...` to its end in an empty folder."""

    def call(*arguments: str, server: Server | None = None, timeout: float = PATIENCE, **environ: str) -> Result:
        return copying.run([*map(str, arguments)], cwd=tmp_path, env=environment(server, **environ), timeout=timeout)

    return call


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Start `harvest ...` and leave it running."""
    running: list[Started] = []

    def call(*arguments: str, server: Server | None = None, **environ: str) -> Started:
        env = environment(server, **environ)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        running.append(copying.start([*map(str, arguments)], cwd=tmp_path, env=env, **pipes))
        return running[-1]

    yield call
    for process in running:
        process.kill()
        process.communicate()
