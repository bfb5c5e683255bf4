"""`harvest auth`: signing in as a person, looking at it, renewing it, signing out."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from harvest.simulator import Server, Terms, World, run_in_thread
from tests.acceptance.signing_in import Chromium, Login, ask, browser_script, find_chromium
from tests.waiting import quiet_port, until

LogIn = Callable[..., Login]


@pytest.fixture(scope="module")
def world() -> World:
    """A small one."""
    return World(3, users=30, tracks=60, likes_per_user=8, seed_likers=10, seed_reposters=2)


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    """A service that asks the person first."""
    with run_in_thread(world, keep_log=True, terms=Terms(auto_approve=False)) as running:
        yield running


@pytest.fixture
def log_in(tmp_path: Path, server: Server) -> Iterator[LogIn]:
    """Start `harvest auth login`."""
    running: list[Login] = []

    def start(*arguments: str, **environ: str) -> Login:
        running.append(Login(tmp_path, server, *arguments, **environ))
        return running[-1]

    yield start
    for login in running:
        login.kill()


@pytest.fixture
def signed_in(log_in: LogIn) -> None:
    """Signed in by paste."""
    login = log_in("--no-browser")
    location = ask(login.address() + "&approve=1")[1]["location"]
    code, _, err = login.end(location + "\n")
    assert code == 0, err


def stored(kind: str = "login") -> dict[str, Any]:
    (path,) = Path(os.environ["XDG_STATE_HOME"]).glob(f"harvest/credentials/{kind}-*.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def secrets_of(record: dict[str, Any]) -> list[str]:
    return [record["token"]["access_token"], record["token"]["refresh_token"]]


def token_calls(server: Server) -> list[int]:
    return [entry.status for entry in server.requests if entry.target == "/oauth/token"]


def test_signing_in_by_paste(log_in, server, world):
    login = log_in("--no-browser")
    query = {name: values[0] for name, values in parse_qs(urlsplit(login.address()).query).items()}
    assert query.keys() == {
        "client_id",
        "redirect_uri",
        "response_type",
        "code_challenge",
        "code_challenge_method",
        "state",
    }
    assert (query["redirect_uri"], query["code_challenge_method"]) == ("http://127.0.0.1:8765/callback", "S256")
    status, headers, _ = ask(login.address() + "&approve=1")
    assert status == 302
    wrong = headers["location"].replace("state=", "state=x")
    code, out, err = login.end(f"{wrong}\n{headers['location']}\n")
    assert code == 0, err
    assert "That is not it" in err
    me = stored()
    assert me["user_urn"] == f"soundcloud:users:{world.me_id}"
    assert f"Signed in as {me['user']}" in out
    returned = parse_qs(urlsplit(headers["location"]).query)["code"][0]
    assert not any(secret in out + err for secret in [*secrets_of(me), returned])
    assert dict(server.service.tokens.granted) == {"authorization_code": 1}


def test_what_is_kept_is_private(signed_in):
    folder = Path(os.environ["XDG_STATE_HOME"]) / "harvest" / "credentials"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_browser_is_opened_and_comes_back(log_in, tmp_path):
    script, note = browser_script(tmp_path)
    redirect = f"http://127.0.0.1:{quiet_port()}/my/way"
    login = log_in("--redirect-uri", redirect, BROWSER=f"{script} %s", SSH_CONNECTION="")
    address = login.address()
    assert until(lambda: note.exists() and note.read_text()) == address
    assert "must be registered with your app as " + redirect in login.said + login.process.stderr.readline() + (
        login.process.stderr.readline()
    )
    back = ask(address + "&approve=1")[1]["location"]
    assert ask(f"{redirect}/elsewhere")[0] == 404
    assert ask(f"{redirect}?code=evil&state=guessed")[0] == 400
    status, headers, page = ask(back.replace("/my/way?", "/my/way/?"))
    assert (status, headers["cache-control"], headers["referrer-policy"]) == (200, "no-store", "no-referrer")
    assert "You can close this tab" in page
    code, out, err = login.end()
    assert (code, "Signed in as" in out) == (0, True), err
    returned = parse_qs(urlsplit(back).query)["code"][0]
    assert not any(secret in out + err for secret in [*secrets_of(stored()), returned])


def test_saying_no_ends_the_login(log_in, tmp_path):
    login = log_in("--no-browser")
    code, out, err = login.end(ask(login.address() + "&approve=0")[1]["location"] + "\n")
    assert (code, out) == (3, "")
    assert "did not let us in (access_denied)" in err


def test_a_port_in_use_gets_one_clear_line(log_in, server):
    login = log_in("--redirect-uri", server.url + "/callback", SSH_CONNECTION="", BROWSER="true")
    code, _, err = login.end()
    assert code == 2
    assert "cannot be used" in err
    assert "--no-browser" in err


@pytest.mark.slow
def test_nobody_comes_back(log_in):
    login = log_in(
        "--timeout", "1", "--redirect-uri", f"http://127.0.0.1:{quiet_port()}/", BROWSER="true", SSH_CONNECTION=""
    )
    code, _, err = login.end()
    assert code == 3
    assert "No sign-in within" in err


def test_a_code_that_is_not_accepted_gets_one_clear_line(log_in):
    """As when the redirect address is not the registered one, or the code is used twice."""
    login = log_in("--no-browser")
    state = parse_qs(urlsplit(login.address()).query)["state"][0]
    code, _, err = login.end(f"http://127.0.0.1:8765/callback?code=stale&state={state}\n")
    assert code == 3
    assert "registered letter by letter" in err
    assert "stale" not in err


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["#allow", "#deny"])
def test_signing_in_with_a_real_browser(log_in, tmp_path, answer):
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium on this machine: the login with a real browser cannot be tried")
    script, note = browser_script(tmp_path)
    redirect = f"http://127.0.0.1:{quiet_port()}/callback"
    login = log_in("--redirect-uri", redirect, BROWSER=f"{script} %s", SSH_CONNECTION="")
    until(lambda: note.exists() and note.read_text())
    browser = Chromium(program, tmp_path / "profile")
    try:
        browser.open(note.read_text())
        browser.click(answer)
        until(lambda: "close this tab" in (browser.value("document.body.innerText") or ""))
        code, out, err = login.end()
    finally:
        browser.close()
    assert (code, "Signed in as" in out) == ((0, True) if answer == "#allow" else (3, False)), err


def test_status_says_who_until_when_and_where_but_no_secret(signed_in, run, server):
    done = run("auth", "status", "--json", server=server)
    seen = json.loads(done.stdout)
    assert (done.returncode, seen["mode"], seen["user"], seen["renews_itself"]) == (0, "login", stored()["user"], True)
    assert seen["expires_at"].endswith("Z")
    assert seen["kept_in"].endswith(".json")
    assert seen["otherwise"] == ["client_credentials"]
    shown = run("-v", "auth", "status", server=server)
    assert shown.returncode == 0
    assert stored()["user"] in shown.stdout
    for text in (done.stdout, done.stderr, shown.stdout, shown.stderr):
        assert not any(secret in text for secret in secrets_of(stored()))


def test_status_without_anything_says_what_to_do(run):
    done = run("auth", "status")
    assert (done.returncode, done.stdout) == (3, "")
    assert "SOUNDCLOUD_CLIENT_ID" in done.stderr
    told = run("auth", "status", "--json")
    assert (told.returncode, json.loads(told.stdout)["mode"]) == (3, None)


def test_refresh_renews_now(signed_in, run, server):
    before = secrets_of(stored())
    done = run("auth", "refresh", server=server)
    assert done.returncode == 0, done.stderr
    assert not set(before) & set(secrets_of(stored()))
    assert stored()["user"]
    assert server.service.tokens.granted["refresh_token"] == 1


def test_a_revoked_login_says_so_and_a_crawl_goes_on_without_it(signed_in, run, server, world):
    server.service.tokens.revoke_everything()
    done = run("auth", "refresh", server=server)
    assert done.returncode == 3
    assert [line for line in done.stderr.splitlines() if line.startswith("harvest:")] == [
        "harvest: SoundCloud does not accept the stored login any more: run `harvest auth login`."
    ]
    assert json.loads(run("auth", "status", "--json", server=server).stdout)["mode"] == "client_credentials"
    assert run(world.seed_url(), "--delay", "0", server=server).returncode == 0


def test_a_crawl_uses_the_login_and_falls_back_in_the_middle(signed_in, run, server, world):
    server.service.tokens.revoke_everything()
    done = run(world.seed_url(), "--delay", "0", server=server)
    assert done.returncode == 0, done.stderr
    assert "auth.signed_in_otherwise" in done.stderr
    assert token_calls(server) == [200, 400, 200]
    assert "auth.signed_in_otherwise" not in run(world.seed_url(), "--depth", "2", server=server).stderr
    assert token_calls(server) == [200, 400, 200]


def test_logout_signs_out_at_the_service_and_forgets(signed_in, run, server):
    token = stored()["token"]["access_token"]
    done = run("auth", "logout", server=server)
    assert (done.returncode, done.stdout) == (0, "Signed out of a login.\n")
    assert [entry.status for entry in server.requests if entry.target == "/sign-out"] == [200]
    folder = Path(os.environ["XDG_STATE_HOME"]) / "harvest" / "credentials"
    assert list(folder.glob("*.json*")) == list(folder.glob("*.lock"))
    assert not any(token in path.read_text() for path in folder.iterdir())
    assert "nothing to sign out of" in run("auth", "logout", server=server).stdout


@pytest.mark.slow
def test_logout_forgets_even_if_the_service_is_away(signed_in, run, server):
    server.use("error_503_text[/sign-out]=1")
    done = run("auth", "logout", server=server)
    assert (done.returncode, "did not confirm" in done.stdout) == (0, True)
    assert json.loads(run("auth", "status", "--json", server=server).stdout)["mode"] == "client_credentials"


def test_a_login_is_refused_where_it_could_not_be_kept(log_in):
    code, _, err = log_in("--no-browser", HARVEST_CREDENTIAL_STORE="memory").end()
    assert (code, "a login would be lost" in err) == (2, True)


def test_a_keyring_that_is_not_there_is_said_so_and_no_file_takes_its_place(run, server):
    pytest.importorskip("keyring", reason="the extra `keyring` is not installed")
    environ = {"HARVEST_CREDENTIAL_STORE": "keyring", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    done = run("auth", "status", server=server, **environ)
    assert done.returncode == 2
    assert "This system offers no keyring" in done.stderr


def test_import_takes_the_tokens_of_another_tool(run, server, tmp_path):
    tokens = server.service.tokens
    pair = {"access_token": server.token(user=True), "refresh_token": tokens.refresh_token(user=True), "scope": "*"}
    (tmp_path / "old.json").write_text(json.dumps({**pair, "expires_at": 1.0}))
    done = run("auth", "import", "old.json", server=server)
    assert done.returncode == 0, done.stderr
    assert run("auth", "refresh", server=server).returncode == 0
    again = run("auth", "import", "old.json", server=server)
    assert "newer than the file" in again.stdout
    assert not set(pair.values()) & set(secrets_of(stored()))
    assert json.loads((tmp_path / "old.json").read_text())["refresh_token"] == pair["refresh_token"]


@pytest.mark.parametrize("user", [True, False], ids=["of a person", "of an app"])
def test_imported_tokens_are_not_called_a_login(run, server, tmp_path, user):
    (tmp_path / "old.json").write_text(json.dumps({"access_token": server.token(user=user)}))
    assert run("auth", "import", "old.json", server=server).returncode == 0
    assert "Signed in with imported tokens, a person's or an app's." in run("auth", "status", server=server).stdout
    assert json.loads(run("auth", "status", "--json", server=server).stdout)["mode"] == "imported"
    seen = run("doctor", "--json", server=server)
    checks = {check["name"]: check["found"] for check in json.loads(seen.stdout)["checks"]}
    assert (seen.returncode, checks["sign-in"]) == (0, "imported")
    assert checks["/me"] == "not asked: this sign-in need not be a person's"
    assert "Signed out of imported tokens" in run("auth", "logout", server=server).stdout
