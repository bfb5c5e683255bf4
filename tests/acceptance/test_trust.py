"""A folder that a stranger made: what its `.env` can bring about, and what it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harvest.auth.grants import Token
from harvest.auth.token_store import FileKeeper, KeptToken
from harvest.simulator import DEMO_CLIENT_ID, Server, World, run_in_thread
from tests import copying
from tests.acceptance.conftest import ROOT, environment
from tests.acceptance.signing_in import browser_script
from tests.waiting import PATIENCE

HONEST = ("SOUNDCLOUD_API_URL", "SOUNDCLOUD_AUTH_URL", "SOUNDCLOUD_CLIENT_ID", "SOUNDCLOUD_CLIENT_SECRET")


@pytest.fixture(scope="module")
def world() -> World:
    return World(4, users=20, tracks=40, likes_per_user=5, seed_likers=6, seed_reposters=2)


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    """The honest service, where a login is kept."""
    with run_in_thread(world, keep_log=True) as running:
        folder = Path(os.environ["XDG_STATE_HOME"]) / "harvest" / "credentials"
        store = FileKeeper(folder, client_id=DEMO_CLIENT_ID, auth_url=running.url).store("login")
        assert store.try_lock()
        store.save(KeptToken(Token(running.token(user=True), running.service.tokens.refresh_token(user=True))))
        store.unlock()
        yield running


@pytest.fixture
def stranger(world: World) -> Iterator[Server]:
    """A service of whoever wrote the `.env`."""
    with run_in_thread(world, keep_log=True) as running:
        yield running


def without(*names: str) -> dict[str, str]:
    """Empty variables would hide the file's: this person has not set them at all."""
    return dict.fromkeys(names, "")


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stderr
    assert "unexpected" not in done.stderr
    return done.stderr.splitlines()[-1]


API_ONLY = ("SOUNDCLOUD_API_URL",), HONEST[1:]  # my app is in the shell
SIGN_IN_ONLY = ("SOUNDCLOUD_AUTH_URL",), (HONEST[0], *HONEST[2:])
ALL_BUT_THE_LOGIN = ("SOUNDCLOUD_API_URL",), ()  # the stranger knows my app's id, and where I sign in


@pytest.mark.parametrize(
    ("command", "strange", "own"),
    [
        (["SEED"], *API_ONLY),
        pytest.param(["plan", "SEED"], *API_ONLY, marks=pytest.mark.slow),
        pytest.param(["doctor"], *API_ONLY, marks=pytest.mark.slow),
        pytest.param(["auth", "logout"], *API_ONLY, marks=pytest.mark.slow),
        pytest.param(["SEED"], *SIGN_IN_ONLY, marks=pytest.mark.slow),
        (["auth", "login"], *SIGN_IN_ONLY),
        pytest.param(["SEED"], *ALL_BUT_THE_LOGIN, marks=pytest.mark.slow),
        pytest.param(["doctor"], *ALL_BUT_THE_LOGIN, marks=pytest.mark.slow),
        (["auth", "logout"], *ALL_BUT_THE_LOGIN),
    ],
)
def test_a_stranger_gets_no_request_with_anything_of_mine(server, stranger, tmp_path, command, strange, own):
    honest = environment(server)
    mine = {name: honest[name] for name in own}
    lines = [f"{name}={stranger.url}" for name in strange]
    if not own:
        lines += [f"{name}={honest[name]}" for name in ("SOUNDCLOUD_AUTH_URL", "SOUNDCLOUD_CLIENT_ID")]
    (tmp_path / ".env").write_text("\n".join(lines))
    done = copying.run(
        [server.world.seed_url() if word == "SEED" else word for word in command],
        cwd=tmp_path,
        env={name: value for name, value in honest.items() if name not in HONEST} | mine,
        timeout=PATIENCE,
    )
    assert stranger.requests == []
    if command == ["auth", "logout"] and not own:  # of what is kept for that address, which is nothing
        assert (done.returncode, "Nothing is kept" in done.stdout) == (0, True)
    elif command == ["doctor"]:
        assert (done.returncode, "!!" in done.stdout) == (1, True)
    else:
        assert done.returncode == (2 if own else 3)
        assert ".env" in last_line(done)


def test_what_stands_together_in_a_file_works_together_and_is_kept_apart(server, stranger, tmp_path):
    lines = [f"{name}={value}" for name, value in environment(stranger).items() if name in HONEST]
    (tmp_path / ".env").write_text("\n".join(lines))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return copying.run([*arguments], cwd=tmp_path, env=environment(), timeout=PATIENCE)

    assert run(server.world.seed_url(), "--delay", "0", "--max-users", "1").returncode == 0
    assert run("plan", server.world.seed_url(), "--db", "2.db").returncode == 0
    assert [entry.target for entry in stranger.requests].count("/oauth/token") == 1  # the second run found the first's
    assert server.requests == []
    refused = run("auth", "login", "--no-browser")
    assert (refused.returncode, "harvest does not sign in at an address from a file" in refused.stderr) == (2, True)


def test_no_program_and_no_proxy_of_a_file_is_used(run, server, stranger, tmp_path):
    script, note = browser_script(tmp_path)
    port = stranger.url.rpartition(":")[2]
    proxies = "".join(f"{name}=http://127.0.0.1:{port}\n" for name in ("HTTPS_PROXY", "ALL_PROXY", "http_proxy"))
    (tmp_path / ".env").write_text(f"BROWSER={script}\nSSL_CERT_FILE=/nope.pem\n{proxies}")
    done = run("auth", "login", "--timeout", "1", server=server)
    assert (done.returncode, note.exists()) == (3, False)
    away = dict.fromkeys(HONEST[:2], "https://nowhere.invalid")
    assert run("a/b", "--delay", "0", server=server, HARVEST_REQUEST_SECONDS="1", **away).returncode == 5
    assert stranger.requests == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["completion", "bash"], 0),
        (["demo", "--users", "20", "--tracks", "40", "--delay", "0"], 0),
        (["status"], 2),
        (["status", "--help"], 0),
        (["sql", "SELECT 1"], 2),
        (["doctor"], 2),
        (["a/b"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_file_that_is_no_text_is_named_by_what_needs_it(run, tmp_path, arguments, code):
    (tmp_path / ".env").write_bytes(b"# Schl\xfcssel\nSOUNDCLOUD_CLIENT_ID=abc\n")
    done = run(*arguments)
    assert done.returncode == code
    assert (done.stderr.strip() == "harvest: .env is not UTF-8 text: save it as UTF-8.") == (code == 2)


def test_a_log_file_of_a_file_stays_in_its_folder(run, tmp_path):
    outside = tmp_path / "bashrc"
    (folder := tmp_path / "folder").mkdir()
    (folder / "link").symlink_to(outside)

    def run_there(log_file: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (folder / ".env").write_text(f"HARVEST_LOG_FILE={log_file}\n")
        return copying.run(["status", *arguments], cwd=folder, env=environment(), timeout=PATIENCE)

    for name in (str(outside), "../bashrc", "link"):
        done = run_there(name)
        assert (done.returncode, "is outside of this folder" in done.stderr) == (2, True)
    assert run_there("harvest.log").returncode == 4  # nothing there yet
    assert run_there("../bashrc", "--log-file", str(folder / "mine.log")).returncode == 4
    assert sorted(path.name for path in folder.iterdir()) == [".env", "harvest.log", "link", "mine.log"]
    assert not outside.exists()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("all_proxy", "socks4://127.0.0.1:9"),
        ("HTTPS_PROXY", "http://proxy.corp:port"),
        ("SSL_CERT_FILE", "/nope.pem"),
        ("SSL_CERT_FILE", "/etc/hostname"),
        ("SSL_CERT_DIR", "/nope"),
        ("SSLKEYLOGFILE", "/nope/keys"),
    ],
)
def test_a_bad_proxy_or_certificate_is_named(run, server, variable, value):
    done = run(server.world.seed_url(), server=server, **{"SSL_CERT_FILE": "", "SSL_CERT_DIR": "", variable: value})
    assert (done.returncode, last_line(done).startswith(f"harvest: {variable} ")) == (2, True)


@pytest.mark.parametrize("command", [("demo",), ("plan", "a/b"), ("auth", "refresh")], ids=lambda command: command[0])
def test_every_command_that_asks_names_a_bad_variable(run, server, command):
    done = run(*command, server=server, SSL_CERT_FILE="/nope.pem")
    assert (done.returncode, last_line(done).startswith("harvest: SSL_CERT_FILE ")) == (2, True)


@pytest.mark.parametrize(
    "environ",
    [
        {"NO_PROXY": "localhost,127.0.0.1,::1,[::1]", "ALL_PROXY": "http://127.0.0.1:9"},
        {"no_proxy": "fe80::/10,http://[", "all_proxy": "http://127.0.0.1:9"},
        {"ALL_PROXY": "socks5://127.0.0.1:9"},
        {"HTTP_PROXY": "", "SSL_CERT_FILE": ""},
    ],
)
def test_a_service_on_this_machine_is_asked_directly(run, environ):
    assert run("demo", "--users", "20", "--tracks", "40", "--delay", "0", **environ).returncode == 0


def test_the_doctor_names_the_network(run, server):
    good = run("doctor", server=server, https_proxy="http://user:word@proxy.corp:8080", SSL_CERT_DIR="").stdout
    assert "no proxy on the way (SSL_CERT_FILE, https_proxy of the environment)" in good
    assert "word@" not in good
    bad = run("doctor", server=server, SSLKEYLOGFILE="/nope/keys").stdout
    assert "!!  network                    SSLKEYLOGFILE cannot be used" in bad


@pytest.mark.slow
def test_the_script_of_a_clone_finds_its_file_or_says_where_it_looked(tmp_path):
    clone, elsewhere = tmp_path / "clone", tmp_path / "elsewhere"
    (clone / "scripts").mkdir(parents=True)
    elsewhere.mkdir()
    shutil.copy(ROOT / "scripts" / "harvest.py", clone / "scripts")
    for name in ("harvest", "schema"):
        (clone / name).symlink_to(ROOT / name)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environ = environment()
        del environ["PYTHONPATH"]
        return subprocess.run(
            [sys.executable, str(clone / "scripts" / "harvest.py"), *arguments],
            cwd=elsewhere,
            env=environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    missing = run("auth", "status")
    assert missing.returncode == 3
    for words in ("SOUNDCLOUD_ACCESS_TOKEN", "SOUNDCLOUD_CLIENT_ID", str(elsewhere / ".env"), str(clone / ".env")):
        assert words in last_line(missing)
    (clone / ".env").write_text("SOUNDCLOUD_CLIENT_ID=my-own-app\nSOUNDCLOUD_CLIENT_SECRET=my-own-secret\n")
    assert "my-own-app" in run("auth", "status").stdout
    (elsewhere / ".env").write_text("SOUNDCLOUD_CLIENT_ID=another\n")
    assert run("auth", "status").returncode == 3  # one file counts, and half of it is missing
