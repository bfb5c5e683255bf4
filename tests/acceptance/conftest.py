"""Run the real command line, as a process of its own, against a simulator in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Server, World, run_in_thread
from tests.copying import Template, python
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
Result = subprocess.CompletedProcess[str]


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
        {"PYTHONPATH": str(ROOT), "HARVEST_HOLD_SECONDS": "0.1", "HARVEST_RETRY_SECONDS": "0.01", "NO_COLOR": "1"}
    )
    if server is not None:
        environ.update(
            SOUNDCLOUD_API_URL=server.url,
            SOUNDCLOUD_AUTH_URL=server.url,
            SOUNDCLOUD_CLIENT_ID=DEMO_CLIENT_ID,
            SOUNDCLOUD_CLIENT_SECRET=DEMO_CLIENT_SECRET,
        )
    return {**environ, **more}


@pytest.fixture(scope="session")
def run_python(request: pytest.FixtureRequest) -> Iterator[Callable[..., Result]]:
    """Run `python -m harvest ...` to its end, as a copy of one that has imported everything."""
    if request.config.getoption("--fresh") or sys.platform != "linux":  # elsewhere a copy may not use all of the system
        yield python
        return
    template = Template()
    yield template.run
    template.close()


@pytest.fixture
def run(tmp_path: Path, run_python: Callable[..., Result]) -> Callable[..., Result]:
    """Run `harvest ...` to its end in an empty folder."""

    def call(*arguments: str, server: Server | None = None, timeout: float = PATIENCE, **environ: str) -> Result:
        env = environment(server, **environ)
        return run_python([*map(str, arguments)], cwd=tmp_path, env=env, timeout=timeout)

    return call


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `harvest ...` and leave it running."""
    running: list[subprocess.Popen[str]] = []

    def call(*arguments: str, server: Server | None = None, **environ: str) -> subprocess.Popen[str]:
        options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(
            [sys.executable, "-m", "harvest", *map(str, arguments)],
            cwd=tmp_path,
            env=environment(server, **environ),
            **options,
        )
        running.append(process)
        return process

    yield call
    for process in running:
        process.kill()
        process.communicate()
