"""The command line as a person meets it: what it says, where it says it, and with which exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from harvest.cli.output.status import Scene, as_lines
from harvest.simulator import World, run_in_thread
from harvest.store.status import look
from harvest.system.clock import SystemClock
from tests import copying
from tests.acceptance.conftest import ROOT, environment
from tests.crawling import read
from tests.terminals import on_a_terminal
from tests.waiting import PATIENCE

CAPS = ("--max-users", "5", "--delay", "0")


def test_a_crawl_prints_its_summary_on_stdout_and_events_on_stderr(run, server, tmp_path):
    done = run(server.world.seed_url(), "--db", "t.db", *CAPS, server=server)
    assert done.returncode == 0
    facts = dict(re.findall(r"^  ([a-zA-Z ]+?) {2,}([\d,.]+(?: \S+)?)$", done.stdout, re.MULTILINE))
    (users,), (tracks,) = read(tmp_path / "t.db", "SELECT count(*) FROM users UNION ALL SELECT count(*) FROM tracks")
    likes = read(tmp_path / "t.db", "SELECT count(*) FROM user_engagements WHERE engagement_type = 'like'")[0][0]
    assert facts["users"] == f"{users:,}"
    assert facts["tracks"] == f"{tracks:,}"
    assert facts["likes"] == f"{likes:,}"
    assert facts["API calls"] == f"{server.total:,}"  # every request that left, the token's too
    assert "crawl.started" in done.stderr
    assert "crawl.started" not in done.stdout


def test_json_gives_the_same_numbers_as_one_object(run, server, tmp_path):
    done = run(server.world.seed_url(), "--db", "t.db", *CAPS, "--json", server=server)
    told = json.loads(done.stdout)
    assert told["api_calls"] == sum(told["requests"].values()) == server.total
    assert told["likes"] + told["reposts"] == told["rows"]["user_engagements"]
    assert sum(told["outcomes"].values()) == sum(sum(kind["outcomes"].values()) for kind in told["lists"])
    assert (told["stop_reason"], told["exit_code"]) == ("drained", 0)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["https://soundcloud.com/artist/comments"], 2, "profile"),
        (["a/b", "--read", "like"], 2, "there are likers, reposters, comments"),
        (["a/b", "--seed-read", "+nothing"], 2, "there are likers, reposters, comments"),
        (["a/b", "--via", "likers"], 2, "likes, reposts, uploads, followers, followings"),
        (["a/b", "--cap", "likes"], 2, "likes=300"),
        (["a/b", "--cap", "like=3"], 2, "there are likers, reposters, comments"),
        (["a/b", "--read", "-likes", "--via", "likes"], 2, "leave out -likes"),
        (["retry", "--outcome", "late"], 2, "there are complete, capped, short"),
        (["retry", "--outcome", "short", "--class", "gone"], 2, "give one of them"),
        (["https://example.com/artist/track"], 2, "soundcloud.com"),
        (["https://soundcloud.com/a/b"], 3, "SOUNDCLOUD_CLIENT_ID"),
        (["resume"], 4, "no file"),
        (["status"], 4, "no file"),
        (["verify"], 4, "no file"),
        (["failures"], 4, "no file"),
        (["retry"], 4, "no file"),
        (["staus"], 2, "status"),
        (["crawl"], 2, "URL"),
        (["https://soundcloud.com/a/b", "--max-users", "-1"], 2, "--max-users"),
        (["https://soundcloud.com/a/b", "--db", "/"], 4, "folder"),
        (["simulate", "--faults", "no_such_fault"], 2, "no_such_fault"),
        (["simulate", "--drift", "likes=0.1"], 2, "'likes=0.1' is no rate"),
        (["simulate", "--drift", "edges=-1"], 2, "come must be 0 or more"),
        (["simulate", "--at", "-1"], 2, "--at"),
        (["a/b", "--delay", "nan"], 2, "--delay"),
        (["a/b", "--delay", "inf"], 2, "--delay"),
        (["a/b", "--delay", "1e308"], 2, "--delay"),
        (["a/b", "--delay", "soon"], 2, "a number of seconds"),
        (["a/b", "--sample-seed", "9223372036854775808"], 2, "--sample-seed"),
        (["a/b", "--sample", "5", "--max-users", "3"], 2, "--max-users"),
        (["sql", "SELECT 1", "--timeout", "nan"], 2, "--timeout"),
    ],
)
def test_bad_input_gets_one_clear_line_and_leaves_nothing_behind(run, tmp_path, arguments, code, says):
    done = run(*arguments)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith(("harvest:", "Error:"))]) == 1
    assert done.stdout == ""
    assert [path for path in tmp_path.rglob("*.db*") if "state" not in path.parts] == []


def test_settings_that_make_no_sense_are_refused_by_name(run):
    for name, value in {
        "SOUNDCLOUD_API_URL": "http://api.example.com",
        "HARVEST_HOLD_SECONDS": "soon",
        "HARVEST_DELAY": "fast",
        "SOUNDCLOUD_AUTH_URL": "http://127.0.0.1:99999",
        "HARVEST_REQUEST_SECONDS": "0",
    }.items():
        done = run("https://soundcloud.com/a/b", **{name: value})
        assert done.returncode == 2
        assert name in done.stderr


def test_a_name_that_sqlite_takes_for_memory_is_a_file_all_the_same(run, server, tmp_path):
    assert run(server.world.seed_url(), "--db", ":memory:", *CAPS, server=server).returncode == 0
    assert run("status", "--db", ":memory:").returncode == 0
    assert read(tmp_path / ":memory:", "SELECT state FROM harvests") == [("drained",)]


def test_a_seed_that_is_not_there_ends_with_exit_2_and_the_reason_in_the_file(run, server, tmp_path):
    done = run("https://soundcloud.com/nobody/nothing", "--db", "t.db", *CAPS, server=server)
    assert done.returncode == 2
    assert "nobody/nothing could not be resolved" in done.stderr
    assert read(tmp_path / "t.db", "SELECT state, reason IS NOT NULL FROM harvests") == [("failed", 1)]


def test_one_seed_that_is_not_there_does_not_stop_the_others(run, server, tmp_path):
    done = run("https://soundcloud.com/nobody/nothing", server.world.seed_url(), "--db", "t.db", *CAPS, server=server)
    assert done.returncode == 2
    assert read(tmp_path / "t.db", "SELECT state FROM harvests") == [("drained",)]
    assert read(tmp_path / "t.db", "SELECT thing, reason IS NULL FROM seeds") == [(None, 0), ("track", 1)]


def test_who_goes_on_hears_which_seed_could_not_be_resolved(run, server):
    lost, good = "https://soundcloud.com/nobody/nothing", server.world.seed_url()
    first = run(lost, good, "--db", "t.db", *CAPS, server=server)
    assert f"Not resolved: {lost}" in first.stdout
    asked = server.total
    resumed, again = run("resume", "--db", "t.db", server=server), run(good, "--db", "t.db", *CAPS, server=server)
    assert f"\nNot resolved: {lost}\n" in resumed.stdout
    assert again.stdout.startswith("Harvest complete: “")  # of one seed, which is another harvest; all lists are there
    assert server.total - asked <= 1  # a token


def test_a_private_link_is_followed_and_its_secret_stays_in_one_place(run, tmp_path):
    world = World(2, users=40, tracks=200, private=0.3)
    track = next(world.id("track", i) for i in range(200) if "/s-" in world.track_url(world.id("track", i)))
    url = world.track_url(track)
    secret = url.rsplit("/", 1)[1]
    with run_in_thread(world) as server:
        done = run(url, "--db", "t.db", *CAPS, "--log-level", "debug", server=server)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "t.db", "SELECT address, thing_id FROM seeds") == [(url, track)]
    assert secret not in done.stdout + done.stderr
    dump = "\n".join(
        str(row)
        for table in ("pages", "tasks", "failures", "tracks", "runs", "users", "harvests", "visits")
        for row in read(tmp_path / "t.db", f"SELECT * FROM {table}")
    )
    assert secret not in dump
    assert secret not in run("status", "--db", "t.db").stdout


def test_the_same_from_python_m_from_the_script_and_with_options_first(run, server, tmp_path):
    url = server.world.seed_url()
    assert run("--db", "a.db", *CAPS, url, server=server).returncode == 0
    assert run("--log-format", "json", "resume", "--db", "a.db", server=server).returncode == 0
    script = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "harvest.py"), url, "--db", "b.db", *CAPS],
        cwd=tmp_path,
        env=environment(server),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert script.returncode == 0, script.stderr
    edges = "SELECT user_id, track_id, engagement_type FROM user_engagements ORDER BY 1, 2, 3"
    assert read(tmp_path / "a.db", edges) == read(tmp_path / "b.db", edges)


def test_artist_slash_track_is_an_address(run, server, tmp_path):
    short = server.world.seed_url().removeprefix("https://soundcloud.com/")
    assert run(short, "--db", "t.db", *CAPS, server=server).returncode == 0
    assert read(tmp_path / "t.db", "SELECT seed_url FROM harvests") == [(server.world.seed_url(),)]


def test_settings_come_from_dotenv_and_the_environment_wins(run, server, tmp_path):
    (tmp_path / ".env").write_text(f"HARVEST_MAX_USERS=3\nHARVEST_DELAY=0\nSOUNDCLOUD_API_URL={server.url}\n")
    assert run(server.world.seed_url(), "--db", "a.db", server=server).returncode == 0
    assert run(server.world.seed_url(), "--db", "b.db", server=server, HARVEST_MAX_USERS="4").returncode == 0
    followed = "SELECT count(*) FROM tasks WHERE kind = 'user_likes'"
    assert read(tmp_path / "a.db", followed) == [(3,)]
    assert read(tmp_path / "b.db", followed) == [(4,)]


def test_json_logs_are_json_and_debug_has_a_line_per_page(run, server, tmp_path):
    done = run(server.world.seed_url(), "--db", "t.db", *CAPS, "-v", "--log-format", "json", server=server)
    events = [json.loads(line) for line in done.stderr.splitlines()]
    pages = [event for event in events if event["event"] == "page.committed"]
    assert len(pages) == read(tmp_path / "t.db", "SELECT count(*) FROM pages")[0][0]
    assert (
        sum(event["kept"] for event in pages if event["list"] not in ("resolve", "lookup"))
        == read(
            tmp_path / "t.db",
            "SELECT sum(kept) FROM pages p JOIN tasks t ON t.id = p.task_id WHERE t.kind NOT IN ('resolve', 'lookup')",
        )[0][0]
    )


def test_quiet_says_nothing_but_the_summary(run, server):
    done = run(server.world.seed_url(), "--db", "t.db", *CAPS, "-q", server=server)
    assert done.stderr == ""


def test_a_file_holds_one_service(run, server, tmp_path):
    assert run("demo", "--db", "demo.db", "--users", "40", "--tracks", "100").returncode == 0
    mixed = run(server.world.seed_url(), "--db", "demo.db", *CAPS, server=server)
    assert mixed.returncode == 4
    assert "one file holds one service" in mixed.stderr


def test_status_tells_of_a_finished_file(run, server):
    run(server.world.seed_url(), "--db", "t.db", *CAPS, server=server)
    plain, as_json = run("status", "--db", "t.db"), run("status", "--db", "t.db", "--json")
    assert "drained" in plain.stdout
    told = json.loads(as_json.stdout)
    assert told["harvests"][0]["state"] == "drained"
    assert told["crawled_by"] is None


@pytest.mark.parametrize(
    ("stop_reason", "words"),
    [
        ("Blocked", "SoundCloud keeps refusing requests or cannot be reached."),
        ("OperationalError", "The file cannot be written."),
        ("max_requests", "your --max-requests was reached."),
        ("interrupted", "it was interrupted."),
        ("KeyError", "something unexpected (KeyError), please report it."),
    ],
)
def test_status_says_in_words_how_the_last_crawl_ended(db, db_path, stop_reason, words):
    db.conn.execute(
        "INSERT INTO runs (started_at, version, options, api_url, credential_kind, stop_reason)"
        " VALUES ('2026-01-01T00:00:00Z', '', '{}', '', '', ?)",
        (stop_reason,),
    )
    scene = Scene(db_path, look(db.conn), None, SystemClock().now())
    assert f"No crawl is running; the last one ended with: {words}" in list(as_lines(scene))


def test_people_and_playlists_are_seeds_and_a_command_is_one_harvest(run, server, tmp_path):
    world = server.world
    person, playlist = world.seed_url().rpartition("/")[0], world.playlist_url(world.id("playlist", 1))
    assert run(person, playlist, "--db", "t.db", "--delay", "0", server=server).returncode == 0
    assert read(tmp_path / "t.db", "SELECT state, seed_url FROM harvests") == [("drained", None)]
    kinds = "SELECT DISTINCT kind FROM tasks WHERE kind NOT IN ('resolve', 'lookup') ORDER BY kind"
    usual = ["playlist_reposters", "playlist_tracks", "user_likes", "user_playlists", "user_reposts", "user_tracks"]
    assert [kind for (kind,) in read(tmp_path / "t.db", kinds)] == usual
    asked = server.total
    assert "Nothing to do" in run(playlist, person, "--db", "t.db", "--delay", "0", server=server).stdout
    assert server.total == asked


def test_resume_takes_every_harvest_with_its_own_options_and_flags_override(run, server, tmp_path):
    first, second = server.world.seed_urls(2)
    bound = ("--db", "t.db", "--delay", "0", "--max-requests", "6")
    assert run(first, *bound, "--max-users", "4", "--read", "+comments", server=server).returncode == 7
    assert run(second, *bound, "--max-users", "6", "--cap", "likes=3", server=server).returncode == 7
    assert run("resume", "--db", "t.db", "--delay", "0", "--depth", "0", server=server).returncode == 0
    options = "SELECT options ->> '$.max_users', options ->> '$.max_user_likes', options ->> '$.depth' FROM harvests"
    assert read(tmp_path / "t.db", options) == [(4, 500, 0), (6, 3, 0)]
    assert read(tmp_path / "t.db", "SELECT DISTINCT state FROM harvests") == [("drained",)]


def test_a_recipe_is_an_option_like_any_other_also_in_the_environment(run, server, tmp_path):
    url = server.world.seed_url()
    environ = {"HARVEST_READ": "likers,comments,likes", "HARVEST_CAP": "comments=2 likes=3"}
    assert run(url, "--db", "t.db", *CAPS, server=server, **environ).returncode == 0
    most = "SELECT kind, max(collected) FROM tasks WHERE kind IN ('track_comments', 'user_likes') GROUP BY kind"
    assert read(tmp_path / "t.db", most) == [("track_comments", 2), ("user_likes", 3)]
    asked = server.total
    assert run(url, "--db", "t.db", server=server).returncode == 0  # as this seed was last crawled
    assert server.total == asked
    assert run(url, "--db", "t.db", "--read", "likers", "--delay", "0", server=server).returncode == 0
    assert server.total == asked
    refused = run(url, HARVEST_READ="like")
    assert "HARVEST_READ" in refused.stderr


def test_lists_that_ended_in_one_way_are_read_anew(run, tmp_path):
    world = World(11, users=60, tracks=300, likes_per_user=30, seed_likers=30, seed_reposters=10, gone=0.2)
    with run_in_thread(world) as server:
        assert run(world.seed_url(), "--db", "t.db", "--delay", "0", "-q", server=server).returncode == 0
        (gone,) = read(tmp_path / "t.db", "SELECT count(*) FROM tasks WHERE outcome = 'gone' AND kind <> 'lookup'")[0]
        before = server.total
        done = run("retry", "--outcome", "gone,loop", "--db", "t.db", server=server)
        assert done.returncode == 0, done.stderr
        assert f"{gone} lists put back." in done.stderr
        assert gone <= server.total - before <= gone + 1  # and a token
        assert run("retry", "--outcome", "loop", "--db", "t.db", server=server).returncode == 0
    assert gone > 0
    assert read(tmp_path / "t.db", "SELECT count(*) FROM readings WHERE number = 1") == [(gone,)]


@pytest.mark.parametrize("command", ["failures", "retry"])
def test_a_class_that_no_failure_has_is_refused_with_those_there_are(run, command):
    refused = run(command, "--class", "nonsense")
    assert refused.returncode == 2
    assert "'gone', 'rate_limited', 'server'" in refused.stderr


def test_the_demo_equals_its_world_and_shows_three_queries(run):
    done = run("demo", "--users", "80", "--tracks", "300")
    assert done.returncode == 0
    assert re.search(r"all [\d,]+ likes and reposts, none too many", done.stdout)
    assert done.stdout.count("\n-- ") == 3
    assert run("verify", "--db", "data/cache/demo.db").returncode == 0


def test_status_of_an_unfinished_demo_names_the_demo(run):
    assert run("demo", "--users", "80", "--tracks", "300", "--max-requests", "9").returncode == 7
    assert (
        "Go on with: harvest demo --cache-path data/cache/demo.db" in run("status", "--db", "data/cache/demo.db").stdout
    )
    assert run("demo", "--users", "80", "--tracks", "300").returncode == 0


def test_the_simulator_serves_what_it_says(start, tmp_path):
    process = start("simulate", "--port", "0", "--users", "50", "--tracks", "100")
    told = ""
    while "harvest auth login" not in told:  # stands last
        line = process.stdout.readline()
        assert line, process.stderr.read()
        told += line
    settings = dict(re.findall(r"(SOUNDCLOUD_\w+)=(\S+)", told))
    url = re.search(r"harvest (https://\S+)", told)[1]
    others = re.findall(r"^  (?:a|its) [a-z ]+? +(https://\S+)$", told, re.MULTILINE)
    assert len(others) == told.count("https://") - 1 >= 4
    done = copying.run(
        [url, *others, "--db", "t.db", *CAPS], cwd=tmp_path, env=environment(**settings), timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr


def test_a_terminal_sees_lines_that_move_and_then_the_summary(server, tmp_path):
    environ = environment(server, TERM="xterm")
    environ.pop("NO_COLOR")
    server.hold_after(10)
    steps = [("in flight", lambda: server.hold_after(None))]
    shown, code = on_a_terminal([server.world.seed_url(), "--db", "t.db", *CAPS], tmp_path, environ, steps=steps)
    assert code == 0
    assert "crawl.started" not in shown
    assert "Harvest complete" in shown


def test_ctrl_c_on_a_terminal_stops_says_how_to_go_on_and_exits_130(server, tmp_path, run):
    server.hold_after(10)
    steps = [(" done · ", "\x03"), ("Ctrl-C again", lambda: server.hold_after(None))]
    arguments = [server.world.seed_url(), "--db", "t.db", "--delay", "0.02", "--max-users", "25"]
    shown, code = on_a_terminal(arguments, tmp_path, environment(server, TERM="xterm"), columns=100, steps=steps)
    assert code == 130
    assert "harvest resume --cache-path t.db" in shown
    assert read(tmp_path / "t.db", "SELECT state FROM harvests") == [("paused",)]
    assert run("resume", "--db", "t.db", "--delay", "0", server=server).returncode == 0
