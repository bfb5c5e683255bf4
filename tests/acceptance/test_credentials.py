"""What happens to credentials over runs, processes and accidents; what is told of them; the doctor."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harvest.auth.grants import Token
from harvest.auth.token_store import FileKeeper, KeptToken
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Server, Terms, World, run_in_thread
from harvest.system.clock import as_text
from tests import copying
from tests.acceptance.conftest import environment
from tests.crawling import assert_exact
from tests.waiting import PATIENCE

OFF = 3600.0


@pytest.fixture(scope="module")
def world() -> World:
    """A small one."""
    return World(4, users=40, tracks=100, likes_per_user=10, seed_likers=16, seed_reposters=4, private=0.1)


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    """That world behind a port."""
    with run_in_thread(world, keep_log=True) as running:
        yield running


def keeper(server: Server) -> FileKeeper:
    folder = Path(os.environ["XDG_STATE_HOME"]) / "harvest" / "credentials"
    return FileKeeper(folder, client_id=DEMO_CLIENT_ID, auth_url=server.url)


def keep(server: Server, kind: str, token: Token | None, **more: Any) -> None:
    store = keeper(server).store(kind)
    assert store.try_lock()
    store.save(KeptToken(token, **more))
    store.unlock()


def pair(server: Server, *, age: float = 0.0, user: bool = True) -> Token:
    """A pair that was granted some seconds ago."""
    obtained = as_text(datetime.now(UTC) - timedelta(seconds=age))
    return Token(server.token(user=user), server.service.tokens.refresh_token(user=user), 3599.0, obtained)


def token_calls(server: Server) -> list[int]:
    return [entry.status for entry in server.requests if entry.target == "/oauth/token"]


def only_line(text: str) -> str:
    """Give the one line that tells a person what is wrong."""
    assert "Traceback" not in text
    (line,) = [line for line in text.splitlines() if line.startswith("harvest:")]
    return line


def test_two_runs_with_client_credentials_make_one_token_call(run, server, world):
    assert run(world.seed_url(), "--delay", "0", server=server).returncode == 0
    assert run(world.seed_url(), "--delay", "0", "--db", "second.db", server=server).returncode == 0
    assert token_calls(server) == [200]


def test_the_demo_keeps_nothing(run, tmp_path):
    assert run("demo", "--users", "20", "--tracks", "40", "--delay", "0").returncode == 0
    assert not (Path(os.environ["XDG_STATE_HOME"]) / "harvest" / "credentials").exists()


def test_a_crawl_whose_tokens_last_40_requests_is_complete_and_spends_no_refresh_token_twice(
    run, small_world, tmp_path
):
    with run_in_thread(small_world, keep_log=True, token_requests=40) as server:
        keep(server, "login", pair(server))
        done = run(
            small_world.seed_url(),
            "--delay",
            "0",
            "--page-size",
            "10",
            "--db",
            "t.db",
            "--concurrency",
            "32",
            server=server,
        )
        assert done.returncode == 0, done.stderr
        granted = dict(server.service.tokens.granted)
        calls = token_calls(server)
    assert_exact(tmp_path / "t.db", small_world, page_size=10)
    assert set(calls) == {200}
    assert granted.keys() == {"refresh_token"}
    assert granted["refresh_token"] >= 2
    answered = dict(_rows(tmp_path / "t.db", "SELECT status, sum(n) FROM run_requests GROUP BY 1"))
    assert answered[401] >= granted["refresh_token"]


@pytest.mark.parametrize("many", [3, pytest.param(8, marks=pytest.mark.slow)])
def test_so_many_processes_that_find_an_expired_token_refresh_once(server, world, tmp_path, many):
    keep(server, "login", pair(server, age=3600))
    runs = [
        copying.start(
            [world.seed_url(), "--max-users", "0", "--delay", "0", "--db", f"{n}.db"],
            cwd=tmp_path,
            env=environment(server),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for n in range(many)
    ]
    ends = [(process.communicate(timeout=PATIENCE), process.returncode) for process in runs]
    assert [code for _, code in ends] == [0] * many, ends
    assert dict(server.service.tokens.granted) == {"refresh_token": 1}
    assert token_calls(server) == [200]


_BEARER = """
import asyncio, os, signal, sys
from pathlib import Path
from harvest.auth.token_store import FileStore
from harvest.system.clock import SystemClock
from harvest.settings import read_settings
from harvest.wiring import connect, keeper_for

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Mortal:
    '''Stands before `os` inside the store, and kills the process before or after the n-th thing it does.'''
    def __init__(self, when, n):
        self.when, self.left = when, n
    def __getattr__(self, name):
        real = getattr(os, name)
        if name not in ("open", "write", "fsync", "close", "fchmod", "lseek"):
            return real
        def counted(*args, **kwargs):
            self.left -= 1
            if self.left == 0 and self.when == "before":
                die()
            result = real(*args, **kwargs)
            if self.left == 0:
                die()
            return result
        return counted

async def main():
    import harvest.auth.token_store as cache
    settings = read_settings(os.environ)
    cache.os = Mortal(sys.argv[1], int(sys.argv[2]))
    async with connect(settings, clock=SystemClock(), delay=0, keeper=keeper_for(settings)) as connection:
        await connection.bearer.token()
asyncio.run(main())
"""


@pytest.mark.slow
def test_a_kill_at_any_point_of_a_renewal_leaves_a_pair_that_counts(server, tmp_path):
    """But for one point: the answer has come and the write() into the open file has not begun."""
    lost, points, killed = [], 0, True
    while killed and points < 40:
        points += 1
        for when in ("before", "after"):
            keeper(server).store("login").try_lock()
            keeper(server).store("login").unlock()
            keep(server, "login", pair(server, age=3600))
            before = len(token_calls(server))
            done = subprocess.run(
                [sys.executable, "-c", _BEARER, when, str(points)],
                cwd=tmp_path,
                env=environment(server),
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            killed = done.returncode == -9
            assert killed or done.returncode == 0, done.stderr
            asked = len(token_calls(server)) - before
            if not _still_signed_in(server, tmp_path):
                lost.append((points, when, asked))
    assert points > 8
    (only,) = lost
    assert only[1:] == ("before", 1)


def _still_signed_in(server: Server, folder: Path) -> bool:
    """Say whether another process gets a token of this login, by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "harvest", "auth", "refresh"],
        cwd=folder,
        env=environment(server),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.slow
def test_a_new_pair_in_the_environment_begins_anew_and_a_spent_one_does_not(run, server, world):
    first = server.service.tokens.refresh_token(user=True)
    environ = {"SOUNDCLOUD_REFRESH_TOKEN": first}
    for n in range(2):
        assert run(world.seed_url(), "--db", f"{n}.db", "--delay", "0", server=server, **environ).returncode == 0
    assert token_calls(server) == [200]
    environ = {"SOUNDCLOUD_REFRESH_TOKEN": server.service.tokens.refresh_token(user=True)}
    assert run(world.seed_url(), "--db", "new.db", "--delay", "0", server=server, **environ).returncode == 0
    assert token_calls(server) == [200, 200]
    assert dict(server.service.tokens.granted) == {"refresh_token": 2}


def test_the_env_file_is_read_and_never_written(run, server, world, tmp_path):
    text = f"# mine\nSOUNDCLOUD_REFRESH_TOKEN={server.service.tokens.refresh_token()}\n"
    (tmp_path / ".env").write_text(text)
    done = run(world.seed_url(), "--delay", "0", server=server)
    assert done.returncode == 0
    assert (tmp_path / ".env").read_text() == text
    again = run(world.seed_url(), "--db", "2.db", "--delay", "0", server=server)
    assert "auth.stored_tokens_used" in again.stderr
    assert token_calls(server) == [200]


def test_an_access_token_alone_is_used_until_it_is_refused(run, server, world):
    only = {"SOUNDCLOUD_CLIENT_ID": "", "SOUNDCLOUD_CLIENT_SECRET": ""}
    good = run(world.seed_url(), "--delay", "0", server=server, SOUNDCLOUD_ACCESS_TOKEN=server.token(), **only)
    assert good.returncode == 0, good.stderr
    bad = run(world.seed_url(), "--db", "2.db", server=server, SOUNDCLOUD_ACCESS_TOKEN="stale-token-000", **only)
    assert bad.returncode == 3
    assert "such tokens live about an hour" in only_line(bad.stderr)
    assert token_calls(server) == []


@pytest.mark.slow
def test_a_stale_access_token_beside_id_and_secret_costs_one_refusal_ever(run, server, world):
    for n in range(2):
        done = run(
            world.seed_url(), "--db", f"{n}.db", "--delay", "0", server=server, SOUNDCLOUD_ACCESS_TOKEN="stale-000"
        )
        assert done.returncode == 0, done.stderr
    assert [entry.status for entry in server.requests].count(401) == 1
    assert token_calls(server) == [200]


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        (
            {"SOUNDCLOUD_CLIENT_SECRET": "wrong-secret-12345"},
            "SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET (invalid",
        ),
        ({"SOUNDCLOUD_CLIENT_SECRET": ""}, "SOUNDCLOUD_CLIENT_SECRET is missing beside its other half"),
        ({"SOUNDCLOUD_CLIENT_ID": ""}, "SOUNDCLOUD_CLIENT_ID is missing beside its other half"),
        ({"SOUNDCLOUD_CLIENT_ID": "", "SOUNDCLOUD_CLIENT_SECRET": ""}, "There is nothing to sign in with"),
    ],
    ids=["wrong secret", "no secret", "no id", "nothing"],
)
def test_what_is_wrong_or_missing_gets_one_clear_line_and_exit_3(run, world, environ, says):
    with run_in_thread(world, terms=Terms(credentials={DEMO_CLIENT_ID: DEMO_CLIENT_SECRET})) as server:
        done = run(world.seed_url(), "--delay", "0", server=server, **environ)
    assert done.returncode == 3
    assert says in only_line(done.stderr)
    assert "wrong-secret" not in done.stderr


@pytest.mark.first_case
@pytest.mark.parametrize("off", [OFF, -OFF])
def test_a_clock_that_is_off_by_an_hour_does_no_harm(run, world, off):
    """Lives are measured, not dated; what the other clock says only decides when the stored token is renewed."""
    with run_in_thread(world, keep_log=True, clock=lambda: time.time() + off) as server:
        for n in range(2):
            done = run(world.seed_url(), "--db", f"{n}.db", "--delay", "0", server=server)
            assert done.returncode == 0, done.stderr
        assert token_calls(server) == [200]


@pytest.mark.parametrize(("off", "side"), [(OFF, "slow"), (-OFF, "fast")])
def test_a_refusal_names_the_clock_when_that_is_off(run, world, off, side):
    with run_in_thread(world, clock=lambda: time.time() + off, token_requests=0) as server:
        done = run(world.seed_url(), "--delay", "0", server=server)
    assert done.returncode == 3
    assert f"This computer's clock is 60 minutes {side}" in only_line(done.stderr)


@pytest.mark.parametrize(
    "levels",
    [
        [("debug", "json"), ("error", "console")],
        pytest.param([("debug", "console"), ("info", "json"), ("warning", "console")], marks=pytest.mark.slow),
    ],
    ids=["two", "the others"],
)
def test_nothing_secret_is_told_or_stored_whatever_the_level(server, world, tmp_path, levels):
    """With the HTTP libraries' own logging switched on, a private seed, and tokens renewed all the time."""
    server.service.tokens.terms = Terms(requests=8)
    private = next(n for n in range(100) if world.facts.private(n))
    private_seed = f"{world.facts.url('track', private)}/{world.facts.secret(private)}"
    keep(server, "login", pair(server))
    # A program around ours, as a curious person would write it.
    program = (
        "import logging, sys; logging.basicConfig(level=logging.DEBUG);"
        "from harvest.cli.main import main; main(sys.argv[1:])"
    )
    texts = []
    for level, log_format in levels:
        path = tmp_path / f"{level}-{log_format}.db"
        done = subprocess.run(
            [sys.executable, "-c", program, private_seed, world.seed_url(), "--db", path, "--delay", "0",
             "--log-level", level, "--log-format", log_format],
            cwd=tmp_path, env=environment(server), capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "httpcore" in done.stderr
        texts += [done.stdout, done.stderr]
    kept = keeper(server).store("login").load()
    told = [line for text in texts for line in text.splitlines() if world.facts.secret(private) in line]
    assert told == []
    handed_out = [*server.service.tokens.handed_out, DEMO_CLIENT_SECRET]
    assert kept is not None
    assert kept.token is not None
    assert kept.token.access_token in handed_out
    assert len(handed_out) > 4
    contents = [path.read_bytes().decode("latin-1") for path in tmp_path.glob("*.db*")]
    assert len(contents) >= len(levels)
    for secret in handed_out:
        assert not any(secret in text for text in texts)
        assert not any(secret in text for text in contents)
        assert not any(secret in entry.target for entry in server.requests)


def test_a_traceback_shows_no_secret(server, world, tmp_path):
    program = (
        "import sys; import harvest.auth.exchange as e\n"
        "def broken(request, *a, **k): raise RuntimeError(f'{request} {dict(request.form)} {dict(request.headers)}')\n"
        "async def fail(self, request): broken(request)\n"
        "e.Exchange._exchange = fail\n"
        "from harvest.cli.main import main; main(sys.argv[1:])"
    )
    keep(server, "login", pair(server, age=3600))
    done = subprocess.run(
        [sys.executable, "-c", program, world.seed_url(), "--delay", "0"],
        cwd=tmp_path,
        env=environment(server, HARVEST_TRACEBACK="1"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "refresh_token" in done.stderr
    assert not any(secret in done.stderr for secret in [*server.service.tokens.handed_out, DEMO_CLIENT_SECRET])


def told(run: Any, *arguments: str, **environ: Any) -> tuple[int, dict[str, dict[str, Any]]]:
    done = run("doctor", "--json", *arguments, **environ)
    seen = json.loads(done.stdout)
    assert seen["well"] == (done.returncode == 0)
    return done.returncode, {check["name"]: check for check in seen["checks"]}


def test_the_doctor_finds_all_well(run, server, world):
    keep(server, "login", pair(server))
    assert run(world.seed_url(), "--delay", "0", server=server).returncode == 0
    code, seen = told(run, server=server)
    assert code == 0, seen
    assert seen["SOUNDCLOUD_CLIENT_SECRET"]["found"] == f"set, {len(DEMO_CLIENT_SECRET)} characters (environment)"
    assert seen["SOUNDCLOUD_AUTH_URL"]["found"] == f"{server.url} (environment)"
    assert seen["HARVEST_REQUEST_SECONDS"]["found"] == "60 (default)"
    assert f"soundcloud:users:{world.me_id}" in seen["/me"]["found"]
    assert "is sound" in seen["file"]["found"]
    assert {"API", "token", "clock", "disk", "place of sign-ins", "sign-in"} <= seen.keys()
    shown = run("doctor", server=server)
    assert (shown.returncode, "All is well." in shown.stdout) == (0, True)
    assert not any(s in shown.stdout for s in [*server.service.tokens.handed_out, DEMO_CLIENT_SECRET])


def test_the_doctor_says_which_settings_come_from_the_env_file(run, server, tmp_path):
    (tmp_path / ".env").write_text("HARVEST_MAX_USERS=7\nSOUNDCLOUD_REDIRECT_URI=http://127.0.0.1:9/x\n")
    _, seen = told(run, server=server)
    assert seen["HARVEST_MAX_USERS"]["found"] == "7 (.env)"
    assert seen["SOUNDCLOUD_REDIRECT_URI"]["found"] == "http://127.0.0.1:9/x (.env)"


def test_the_doctor_says_what_is_wrong(run, server, tmp_path):
    (tmp_path / "t.db").write_text("this is no database, whatever its name says")
    folder = keeper(server).folder
    keep(server, "login", pair(server))
    next(folder.glob("*.json")).chmod(0o644)
    code, seen = told(run, "--db", "t.db", server=server, SOUNDCLOUD_CLIENT_SECRT="x")
    assert code == 1
    assert {name for name, check in seen.items() if not check["ok"]} == {
        "file",
        "names of settings",
        "place of sign-ins",
    }
    assert "SOUNDCLOUD_CLIENT_SECRET?" in seen["names of settings"]["found"]
    assert "chmod" in seen["place of sign-ins"]["to_do"]


def test_the_doctor_without_credentials_or_service(run, server):
    code, seen = told(run)
    assert (code, seen["sign-in"]["ok"]) == (1, False)
    assert "soundcloud.com/you/apps" in seen["sign-in"]["to_do"]
    gone = {"SOUNDCLOUD_API_URL": "http://127.0.0.1:9", "SOUNDCLOUD_ACCESS_TOKEN": "token-000"}
    code, seen = told(run, **gone)
    assert (code, seen["API"]["ok"]) == (1, False)
    assert (seen["sign-in"]["ok"], seen["sign-in"]["found"]) == (False, "access token, not tried")


def test_the_doctor_sees_a_wrong_secret_and_a_wrong_clock(run, world):
    terms = Terms(credentials={DEMO_CLIENT_ID: DEMO_CLIENT_SECRET})
    with run_in_thread(world, terms=terms, clock=lambda: time.time() + OFF) as server:
        code, seen = told(run, server=server, SOUNDCLOUD_CLIENT_SECRET="wrong-secret-12345")
    assert code == 1
    assert {name for name, check in seen.items() if not check["ok"]} == {"token", "clock"}
    assert "60 minutes slow" in seen["clock"]["found"]


def test_a_state_folder_that_cannot_be_written_is_found_before_a_refresh_token_is_spent(run, server, world, tmp_path):
    blocker = tmp_path / "a file"
    blocker.write_text("")
    spare = server.service.tokens.refresh_token()
    done = run(world.seed_url(), server=server, XDG_STATE_HOME=str(blocker), SOUNDCLOUD_REFRESH_TOKEN=spare)
    assert done.returncode == 4
    assert "HARVEST_CREDENTIAL_STORE=memory" in only_line(done.stderr)
    assert token_calls(server) == []


def _rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_a_first_crawl_that_reaches_nobody_names_the_host_and_goes_on_once_it_is_right(run, server, tmp_path):
    nowhere = {"SOUNDCLOUD_API_URL": "http://127.0.0.1:9", "HARVEST_REQUEST_SECONDS": "1"}
    crawl = (server.world.seed_url(), "--db", "t.db", "--delay", "0", "--max-users", "2")
    for more in ({"SOUNDCLOUD_ACCESS_TOKEN": "given"}, {"SOUNDCLOUD_AUTH_URL": "http://127.0.0.1:9"}):
        done = run(*crawl, server=server, **nowhere, **more)
        assert (done.returncode, "did not answer at 127.0.0.1:9 (Connect" in done.stderr) == (5, True), done.stderr
    assert run("resume", "--db", "t.db", server=server).returncode == 0
    assert _rows(tmp_path / "t.db", "SELECT state FROM harvests") == [("drained",)]
