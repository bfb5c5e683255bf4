"""`harvest probe` as it is run: the page and the report, what it asks before, and how it ends when it is broken off."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

import harvest
from harvest.auth.grants import Token
from harvest.auth.token_store import FileKeeper, KeptToken
from harvest.errors import AppRefused, LoginNeeded
from harvest.probing.report import Report
from harvest.simulator import DEMO_CLIENT_ID, Server, World, run_in_thread
from harvest.simulator.service.service import Service
from tests.acceptance.conftest import environment
from tests.acceptance.test_probe_faults import CHANGES
from tests.crawling import settings_for
from tests.terminals import on_a_terminal
from tests.waiting import PATIENCE, until

FORM = Path(__file__).parents[1] / "samples" / "probe_report.schema.json"
SMALL = World(3, users=60, tracks=150, likes_per_user=30, playlists=60, seed_likers=30, seed_reposters=25)
PLAN = "To ask: 26 requests as the application, and a few more where something is empty or refused.\n"
SAME = "No difference from what is read and what the description of 2026-07-19 says."


@pytest.fixture
def server() -> Iterator[Server]:
    with run_in_thread(SMALL, keep_log=True) as running:
        yield running


@pytest.fixture
def probe(run, server):
    """Run `harvest probe ...` without waiting between requests."""
    return lambda *arguments, **environ: run("probe", *arguments, server=server, HARVEST_DELAY="0", **environ)


def asked(server: Server) -> list[str]:
    """The API requests that arrived."""
    return [one.target for one in server.requests if not one.target.startswith("/oauth")]


def report_in(path: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(path.read_bytes())
    jsonschema.validate(report, json.loads(FORM.read_text("utf-8")))
    return report


def sign_in(server: Server, state: Path) -> None:
    """Keep a login in the state folder of this person."""
    folder = state / "harvest" / "credentials"
    store = FileKeeper(folder, client_id=DEMO_CLIENT_ID, auth_url=server.url).store("login")
    assert store.try_lock()
    store.save(KeptToken(Token(server.token(user=True), server.service.tokens.refresh_token(user=True))))
    store.unlock()


def test_the_form_of_a_report_is_the_one_that_is_written_down():
    """Whoever changes it writes it down again, and gives it another number."""
    made = msgspec.json.schema(Report)
    assert json.loads(FORM.read_text("utf-8")) == made


def test_it_says_what_it_takes_then_what_came_and_keeps_a_report(probe, server, tmp_path):
    done = probe("--out", "new.json")
    assert (done.returncode, done.stderr) == (0, PLAN)
    lines = done.stdout.splitlines()
    assert lines[0] == f"Asked 26 endpoints as the application, in {server.total} requests."
    assert lines[2].split() == ["endpoint", "application", "entries", "goes", "on", "by", "limits", "told", "by"]
    (likers,) = [line for line in lines if line.startswith("  /tracks/{urn}/favoriters ")]
    assert likers.split() == ["/tracks/{urn}/favoriters", "200", "20", "cursor=16", "digits"]
    (me,) = [line for line in lines if line.startswith("  /me ")]
    assert me.split(maxsplit=1) == ["/me", "(nobody is signed in)"]
    assert SAME in lines
    assert lines[-1].startswith("Kept in new.json: ")
    report = report_in(tmp_path / "new.json")
    assert (report["harvest_probe"], report["ended"], report["credentials"]) == (1, "whole", ["application"])
    assert report["differences"] == []
    likers = report["endpoints"]["/tracks/{urn}/favoriters"]["answers"]["application"]
    assert (likers["status"], likers["asked_for"], likers["entries"]) == (200, 20, 20)
    assert likers["fields"]["collection[].username"] == {"string": 20}
    assert likers["goes_on"] == {
        "parameters": {"cursor": "16 digits", "linked_partitioning": "boolean", "page_size": "number"},
        "size": 20,
    }


def test_differences_are_on_the_page_and_in_the_report(probe, server, tmp_path):
    planted = ["field_renamed[/related?]", "forbidden_json[/web-profiles]", "limit_header[/resolve]"]
    server.use(",".join(planted))
    done = probe("--out", "new.json", "--yes")
    assert done.returncode == 0
    told = [line.strip() for line in done.stdout.partition(" differences from what")[2].splitlines()[1:-2]]
    assert sorted(told) == sorted(CHANGES[one] for one in planted)
    found = report_in(tmp_path / "new.json")["differences"]
    assert sorted(f"{', '.join(one['where'])}: {one['field']} {one['what']}".replace(":  ", ": ") for one in found) == (
        sorted(CHANGES[one] for one in planted)
    )
    assert json.loads(probe("--json").stdout)["differences"] == found


def test_a_person_is_asked_for_besides_the_app_and_each_alone_if_wanted(probe, server, tmp_path):
    state = tmp_path / "state"
    sign_in(server, state)
    both = probe("--out", "both.json", XDG_STATE_HOME=str(state))
    assert (both.returncode, both.stderr[:59]) == (0, "To ask: 62 requests as the application and the person, and ")
    assert SAME in both.stdout
    report = report_in(tmp_path / "both.json")
    assert report["credentials"] == ["application", "person"]
    statuses = {
        name: {who: one["status"] for who, one in e["answers"].items()} for name, e in report["endpoints"].items()
    }
    assert {frozenset(told) for name, told in statuses.items() if name.startswith("/me")} == {frozenset(["person"])}
    assert statuses["/users/{urn}"] == {"application": 200, "person": 200}
    assert server.service.tokens.granted == {"client_credentials": 1}  # the app has a token of its own
    server.requests.clear()
    assert probe("--as", "application", XDG_STATE_HOME=str(state)).returncode == 0
    assert [one for one in asked(server) if one.startswith("/me")] == []
    one = probe("--as", "person", "--dry-run", XDG_STATE_HOME=str(state))
    assert one.stdout.startswith("To ask: 36 requests as the person")
    nobody = probe("--as", "person", XDG_STATE_HOME=str(tmp_path / "none"))
    assert (nobody.returncode, nobody.stderr) == (3, "harvest: You are not signed in: run `harvest auth login`.\n")


def test_a_token_is_a_persons_if_me_answers(run, server, tmp_path):
    for user, own in ((True, 10), (False, 0)):
        done = run(
            *("probe", "--json", "--delay", "0"),
            **{"SOUNDCLOUD_ACCESS_TOKEN": server.token(user=user), "HARVEST_RETRY_SECONDS": "0.001"},
            **{"SOUNDCLOUD_API_URL": server.url, "SOUNDCLOUD_AUTH_URL": server.url},
        )
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["credentials"] == ["token"]
        assert sum(bool(one.get("answers")) for name, one in report["endpoints"].items() if name[:3] == "/me") == own
        assert report["differences"] == []


def test_it_begins_where_it_is_told_to(probe, server):
    world = server.world
    assert probe(world.seed_url()).returncode == 0
    urn = f"soundcloud:tracks:{world.seed_ids(1)[0]}"
    requests = asked(server)
    assert requests[0].startswith("/resolve?url=")
    assert [one for one in requests if one.startswith("/tracks/") and urn not in one] == []
    server.requests.clear()
    person = f"soundcloud:users:{world.id('user', 7)}"
    assert probe(person).returncode == 0
    assert f"/users/{person}" in asked(server)


@pytest.mark.parametrize(
    "address", ["https://example.com/x", "me", "search:tracks?q=a", "soundcloud:x:5", "a/b/s-Secret"]
)
def test_an_address_where_none_can_begin_is_refused_before_anything_is_asked(probe, server, address):
    done = probe(address)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert server.total == 0


def texts_of_everybody(world: World) -> set[str]:
    """Every text and every long number that the service says of anybody and anything."""
    made = Service(world).objects
    things = [made.user(n) for n in range(world.options.users)] + [made.track(n) for n in range(world.options.tracks)]
    things += [made.playlist(n) for n in range(world.options.playlist_count)]
    found: set[str] = set()

    def gather(value: Any) -> None:
        if isinstance(value, dict):
            for name, part in value.items():
                if name not in (
                    "kind",
                    "plan",
                    "subscriptions",
                    "license",
                    "access",
                    "sharing",
                    "type",
                    "playlist_type",
                ):
                    gather(part)
        elif isinstance(value, list):
            for part in value:
                gather(part)
        elif isinstance(value, str) or (isinstance(value, int) and value > 10**6):
            found.add(str(value))

    gather(things)
    return {text for text in found if len(text) > 4 and text != "other"}


def test_no_value_of_anybody_is_in_the_report_the_log_or_on_the_terminal(probe, server, tmp_path):
    server.use("field_renamed[/related?],forbidden_json[/web-profiles],broken_json[/comments],limit_header")
    sign_in(server, tmp_path / "state")
    done = probe(
        *(server.world.seed_url(), "--out", "new.json", "--log-file", "all.log", "-v", "--log-format", "json"),
        XDG_STATE_HOME=str(tmp_path / "state"),
    )
    assert done.returncode == 0
    secret = texts_of_everybody(server.world)
    assert len(secret) > 1000
    told = [
        (tmp_path / "new.json").read_text("utf-8"),
        (tmp_path / "all.log").read_text("utf-8"),
        done.stdout,
        done.stderr,
    ]
    assert [text for text in secret if any(text in place for place in told)] == []
    written = [path for path in tmp_path.rglob("*") if path.is_file() and "credentials" not in path.parts]
    everywhere = b"".join(path.read_bytes() for path in written).decode("utf-8", "replace")
    assert [text for text in secret if text in everywhere] == []
    assert "soundcloud:" not in told[0]


def test_only_what_has_changed_is_told_beside_an_older_report(probe, server, tmp_path):
    server.use("field_renamed[/related?]")
    assert probe("--out", "old.json").returncode == 0
    same = probe("--compare", "old.json")
    day = report_in(tmp_path / "old.json")["day"]
    assert (same.returncode, same.stdout) == (0, f"No change since {day}.\n")
    server.use(
        "field_retyped[/comments?],href_new_form[/favoriters],field_added[/followers?],forbidden_json[/web-profiles],"
        "field_missing[/followings?],limit_header[/likes/tracks],href_internal_host[/related]"
    )
    done = probe("--compare", "old.json", "--out", "old.json")
    assert done.returncode == 0
    told = [
        "/tracks/{urn}/favoriters: next_href goes on by after=uuid, before by cursor=16 digits",
        "/tracks/{urn}/comments: comment.created_at is integer, was string",
        "/tracks/{urn}/related: track.page_url is gone; permalink_url, which is new, may be its new name",
        "/tracks/{urn}/related: next_href goes on by offset=number and another host, before by offset=number",
        "/users/{urn}/likes/tracks: header x-ratelimit-window-limit is new",
        "/users/{urn}/followers: user.mood is new",
        "/users/{urn}/followings: user.uri is gone",
        "/users/{urn}/web-profiles: answers the application with 403, before with 200",
    ]
    lines = done.stdout.splitlines()
    assert lines[0] == f"{len(told)} changes since {day}:"
    assert [line.strip() for line in lines[1 : len(told) + 1]] == told
    assert len(report_in(tmp_path / "old.json")["changes"]) == len(told)
    assert probe("--compare", "old.json").stdout.splitlines()[0] == "No change since " + day + "."


def test_what_is_no_report_is_neither_compared_with_nor_written_over(probe, server, tmp_path):
    notes = tmp_path / "notes.json"
    for text, why in (
        ("{}", "is no report of `harvest probe`."),
        ("[" * 10_000, "is no report of `harvest probe`."),
        ('{"harvest_probe": 99}', "was made by a newer harvest: its form is 99, and 1 is known here."),
    ):
        notes.write_text(text)
        done = probe("--compare", "notes.json")
        assert (done.returncode, done.stderr) == (2, f"harvest: notes.json {why}\n")
        done = probe("--out", "notes.json")
        assert done.returncode == 4
        assert done.stderr == "harvest: notes.json is there and is no report of `harvest probe`: name another file.\n"
        assert notes.read_text() == text
    done = probe("--compare", "none.json")
    assert (done.returncode, done.stderr) == (2, "harvest: none.json cannot be read: No such file or directory.\n")
    assert server.total == 0


def test_an_older_report_from_a_stranger_moves_no_cursor(probe, server, tmp_path):
    assert probe("--out", "old.json").returncode == 0
    report = report_in(tmp_path / "old.json")
    report["day"] = "\x1b[2J"
    answer = report["endpoints"]["/users/{urn}"]["answers"]["application"]
    answer["fields"]["\x1b]0;owned\x07"] = {"string": 1}
    (tmp_path / "old.json").write_text(json.dumps(report))
    done = probe("--compare", "old.json")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 2


def test_nothing_is_asked_in_a_dry_run_or_without_anything_to_sign_in_with(probe, run, server):
    dry = probe("--dry-run")
    assert (dry.returncode, dry.stdout, dry.stderr) == (0, PLAN, "")
    bare = run("probe", SOUNDCLOUD_API_URL=server.url, SOUNDCLOUD_AUTH_URL=server.url)
    assert bare.returncode == 3
    assert bare.stderr.startswith("harvest: There is nothing to sign in with: ")
    assert server.total == 0


def test_it_asks_on_a_terminal_once_and_not_with_yes(server, tmp_path):
    environ = environment(server, HARVEST_DELAY="0", TERM="dumb")
    shown, code = on_a_terminal(["probe"], tmp_path, environ, columns=120, steps=[("Begin?", "n\n")])
    assert code == 0
    assert "Nothing was asked." in shown
    assert server.total == 0
    shown, code = on_a_terminal(["probe", "--yes"], tmp_path, environ, columns=120)
    assert (code, "Begin?" in shown, SAME in shown) == (0, False, True)


def test_ctrl_c_shows_and_keeps_what_was_learned(start, server, tmp_path):
    server.hold_after(9)
    process = start("probe", "--out", "new.json", server=server, HARVEST_DELAY="0")
    until(lambda: server.total >= 10)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, PLAN)
    assert "It was interrupted; this is what was learned until then." in out
    assert [
        line.split(maxsplit=1)[1] for line in out.splitlines() if line.startswith("  /users/{urn}/likes/tracks ")
    ] == (["(not reached)"])
    assert "()" not in out
    report = report_in(tmp_path / "new.json")
    assert (report["ended"], report["requests"]) == ("interrupted", 10)
    assert sum(bool(one.get("answers")) for one in report["endpoints"].values()) == 8


def test_a_bound_on_requests_ends_it_in_the_same_way(probe, server, tmp_path):
    done = probe("--max-requests", "7", "--out", "new.json")
    assert done.returncode == 7
    assert server.total == 7
    assert "It was stopped by your --max-requests; this is what was learned until then." in done.stdout
    assert report_in(tmp_path / "new.json")["ended"] == "max_requests"
    assert len(report_in(tmp_path / "new.json")["endpoints"]) == 7  # one of them not answered any more


def test_a_service_that_blocks_us_ends_it_with_what_was_learned(probe, server, tmp_path):
    server.use("waf_challenge@6*1000")
    done = probe("--out", "new.json", HARVEST_HOLD_SECONDS="0.01")
    assert done.returncode == 5
    assert "It was broken off; this is what was learned until then." in done.stdout
    assert done.stderr.splitlines()[-1] == (
        "harvest: SoundCloud keeps refusing us, or cannot be reached any more: probe again later."
    )
    report = report_in(tmp_path / "new.json")
    assert report["ended"] == "blocked"
    assert report["endpoints"]["/tracks/{urn}"]["answers"]["application"]["status"] == 200


def test_an_app_that_is_refused_everything_is_told_so(probe, server, tmp_path):
    server.use("app_refused")
    done = probe("--out", "new.json")
    assert done.returncode == 3
    assert "/tracks?q, /users?q, /playlists?q: is refused (forbidden, 403)" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("harvest: SoundCloud refuses this app whatever it asks for")
    assert report_in(tmp_path / "new.json")["endpoints"]["/users/{urn}"]["not_asked"] == "no user was met"


def test_credentials_that_are_refused_leave_no_report(probe, tmp_path):
    done = probe("--out", "new.json", SOUNDCLOUD_CLIENT_SECRET="wrong")
    assert (done.returncode, done.stdout) == (3, "")
    assert not (tmp_path / "new.json").exists()


def test_a_login_that_has_ended_is_said_so_and_not_replaced_by_the_app(probe, server, tmp_path):
    sign_in(server, tmp_path / "state")
    server.service.tokens.revoke_everything()
    done = probe("--as", "person", XDG_STATE_HOME=str(tmp_path / "state"))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.endswith("SoundCloud does not accept the stored login any more: run `harvest auth login`.\n")


def test_a_report_that_cannot_be_written_is_said_so_and_shown(probe, tmp_path):
    (tmp_path / "folder").mkdir()
    done = probe("--out", "folder")
    assert done.returncode == 4
    assert "name another file" in done.stderr
    (tmp_path / "file").write_text("")
    done = probe("--out", "file/new.json")
    assert done.returncode == 4
    assert SAME in done.stdout.splitlines()
    assert done.stderr.splitlines()[-1] == ("harvest: Cannot write file/new.json: File exists. Name another place.")
    if os.geteuid():
        (tmp_path / "folder").chmod(0o500)
        assert probe("--out", "folder/new.json").returncode == 4


def test_from_python_it_is_the_same_and_bounded_in_the_same_way(server, tmp_path):
    settings = settings_for(server, retry_seconds=0.001)
    server.use("field_renamed[/related?]")
    report = harvest.probe(settings=settings, delay=0, out=tmp_path / "new.json")
    assert [one.line for one in report.differences] == [CHANGES["field_renamed[/related?]"]]
    assert report_in(tmp_path / "new.json") == json.loads(msgspec.json.encode(report))
    some = harvest.probe(
        server.world.seed_url(), settings=settings, delay=0, max_requests=4, compare=tmp_path / "new.json"
    )
    assert (some.ended, some.requests, some.changes) == ("max_requests", 4, [])
    with pytest.raises(LoginNeeded):
        harvest.probe(settings=settings, credentials="person")
    server.use("app_refused")
    with pytest.raises(AppRefused):
        harvest.probe(settings=settings, delay=0)
