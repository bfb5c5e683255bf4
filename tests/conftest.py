"""Fixtures shared by all tests."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from sqlite_utils import Database

from harvest.store.database import open_for_crawl
from tests.unused import unused

# Thousands of processes are started, and each would compile the whole program anew; so would we with every test file.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Whoever starts the tests in the background, or under nohup, may have them ignore Ctrl-C or a closed terminal; our
# processes would inherit that, and never hear what tests send.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

# A machine that is slow, or does something else for a moment, fails no test.
with suppress(ImportError):  # tests/environments/readers.txt does without it
    from hypothesis import HealthCheck, settings

    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    one_in = "start an interpreter for every command of one test in N, of all of them with 1 (tests/copying.py)"
    parser.addoption("--fresh", type=int, default=0, metavar="N", help=one_in)
    parser.addoption("--seed", type=int, default=1, help="what tests marked fresh make their worlds of (scripts/soak)")


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest and would come last: one worker would be left with them at the end. Leave
    all cases but one of a test that is marked so to the slow ones.
    """
    items.sort(key=lambda item: not item.path.match("tests/unit/verify/*"))
    begun = set()
    for item in items:
        if item.get_closest_marker("first_case") and not item.get_closest_marker("slow"):
            test = item.nodeid.partition("[")[0]
            if test in begun:
                item.add_marker(pytest.mark.slow)
            begun.add(test)


@pytest.fixture
def fresh_seed(request: pytest.FixtureRequest) -> int:
    """The number of which a test makes what nobody has tried yet; whoever gives it again gets the same."""
    return int(request.config.getoption("--seed"))


@pytest.fixture(scope="session")
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with one certificate authority: reading all of the world's takes a client longer than a small crawl."""
    all_of_them = Path(certifi.where()).read_text("utf-8")
    end = "-----END CERTIFICATE-----\n"
    path = tmp_path_factory.mktemp("authorities") / "one.pem"
    path.write_text(all_of_them[all_of_them.index("-----BEGIN") : all_of_them.index(end) + len(end)])
    return path


_unique = itertools.count()


@pytest.fixture(autouse=True)
def clean_environ(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, one_authority: Path) -> None:
    """No setting of the person at the keyboard reaches a test, and no test reaches their files."""
    for name in list(os.environ):
        if name.startswith(("HARVEST_", "SOUNDCLOUD_")) or name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name)
    home = one_authority.parent / str(next(_unique))  # made by whoever writes there; most tests make no folder
    if "tmp_path" in request.fixturenames:
        home = request.getfixturevalue("tmp_path")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("SSL_CERT_FILE", str(one_authority))


@pytest.fixture
def db_path(tmp_path: Path) -> Path:
    """Where a test's database goes."""
    return tmp_path / "tracks.db"


@pytest.fixture
def db(db_path: Path) -> Iterator[Database]:
    """An empty harvest database in a real file."""
    db_path.write_bytes(unused())
    database = open_for_crawl(db_path)
    yield database
    database.conn.close()


class FakeClock:
    """A clock that moves only when waited on: when everybody sleeps, the first to wake moves it."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.naps: list[float] = []
        self._wakes: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=self.seconds - 1000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        wake = self.seconds + max(0.0, seconds)
        self._wakes.append(wake)
        try:
            await self._settle()
            while self.seconds < wake:
                if wake == min(self._wakes):
                    self.seconds = wake
                await self._settle()
        finally:
            self._wakes.remove(wake)

    async def _settle(self) -> None:
        for _ in range(25):
            await asyncio.sleep(0)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that moves only when waited on."""
    return FakeClock()
