"""What is nobody's fault: a service, an endpoint or an app that fails many lists alike, and one list that fails alone.

Each table has a row per kind of list. After every crawl `verify` must find nothing (`tests/faulty.py`).
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from dataclasses import replace

import pytest

from harvest.crawler import judge
from harvest.models import Limits
from harvest.simulator import run_in_thread
from harvest.simulator.oracle import expect
from tests.crawling import assert_exact, contents, read, told
from tests.faulty import WORLD, Scene, assert_no_contradiction, path_of, victim
from tests.repetitions import all_but, rows_but, slow_but
from tests.waiting import until

QUICK = {"HARVEST_HOLD_SECONDS": "0.02", "HARVEST_RETRY_SECONDS": "0.002"}
KINDS = {"user_likes": "/likes/tracks", "user_followings": "/followings", "track_likers": "/favoriters"}
READ = ("--read", "likers,reposters,likes,followings")
LIMITS = Limits(read=("likers", "reposters", "likes", "followings"))
EMPTY = (
    "SELECT count(*) FROM tasks WHERE kind = ? AND outcome IN ('complete', 'short') AND collected = 0 AND claimed > 0"
)
OPEN = "SELECT count(*) FROM readings WHERE state <> 'ended'"


@pytest.fixture
def tell(run, tmp_path):
    """Run a command over the file of the test; give its exit code, stdout and stderr."""

    def call(*arguments, server, **environ):
        shown = run(*arguments, "--db", tmp_path / "t.db", server=server, **QUICK, **environ)
        assert "report it" not in shown.stderr
        assert_no_contradiction(tmp_path / "t.db")
        return shown.returncode, shown.stdout, shown.stderr

    return call


def crawl(tell, server):
    return tell(server.world.seed_url(), "--delay", "0", *READ, server=server)


def assert_exact_at_last(tell, server, path, *command):
    """Lift the fault; this command, or a plain resume, must come to the very truth."""
    server.use("")
    assert tell(*(command or ["resume"]), "--delay", "0", server=server)[0] == 0
    assert_exact(path, server.world, limits=LIMITS)


# -- every list of a kind is unreadable, or fails


UNREAD = [
    ("shape_no_collection", "unreadable", "the service has changed what it answers"),
    ("shape_list", "unreadable", "the service has changed what it answers"),
    ("status_431", "failed", "none was answered"),
]


@pytest.mark.parametrize(
    ("listed", "unread"), all_but([(("user_likes", KINDS["user_likes"]), UNREAD[0])], [*KINDS.items()], UNREAD)
)
def test_a_kind_that_nobody_could_read_is_a_gap_and_the_headline_says_so(tell, tmp_path, listed, unread):
    (kind, path), (fault, outcome, why) = listed, unread
    with run_in_thread(WORLD, faults=f"{fault}[{path}]") as server:
        code, out, _ = crawl(tell, server)
        assert server.plan.fired[fault] > 0
        assert code == 6
        assert out.startswith("Harvest ended with gaps")
        (sentence,) = [line for line in out.splitlines() if line.startswith("No list could be read of")]
        assert sentence.endswith(f"{outcome}): {why}.")
        status = json.loads(tell("status", "--json", server=server)[1])
        assert [(gap["kind"], gap["ends"]) for gap in status["gaps"]] == [(kind, [outcome])]
        assert sentence in tell("status", server=server)[1]
        server.use("")
        again = ["retry"] if outcome == "failed" else ["retry", "--outcome", outcome]
        assert tell(*again, "--delay", "0", server=server)[0] == 0
        ended = read(tmp_path / "t.db", "SELECT count(*) FROM tasks WHERE outcome = ? AND kind = ?", outcome, kind)
        assert ended == [(0,)]


# -- empty replies


OUTAGES = {
    "from the beginning": "items_none[{path}]",
    "in the middle": "items_none[{path}]@8*100000",
    "with hidden counts": "counts_hidden[/favoriters],counts_hidden[/reposters],items_none[{path}]",
}


@pytest.mark.parametrize(
    ("kind", "when"),
    all_but(
        [("user_likes", "in the middle")],
        ["user_likes", "user_followings"],
        ["from the beginning", "in the middle"],
    ),
)
def test_an_outage_of_empty_lists_ends_with_exit_5_and_blames_no_list(tell, tmp_path, kind, when):
    file, path = tmp_path / "t.db", KINDS[kind]
    with run_in_thread(WORLD, faults=OUTAGES[when].format(path=path)) as server:
        for command in ([server.world.seed_url(), *READ], ["resume"]):
            code, _, err = tell(*command, "--delay", "0", server=server)
            assert server.plan.fired["items_none"] > 0
            assert code == 5, err
            assert "an outage" in err
            assert "harvest resume" in err
            assert read(file, EMPTY, kind) == [(0,)]
            assert read(file, OPEN)[0][0] >= 5
            assert read(file, "SELECT state FROM harvests") == [("paused",)]
        assert_exact_at_last(tell, server, file)


def test_an_outage_is_told_where_the_service_hides_its_counts(tell, tmp_path):
    """Who stands among the likers of a track likes something, whatever is claimed."""
    file = tmp_path / "t.db"
    with run_in_thread(WORLD, faults=OUTAGES["with hidden counts"].format(path="/likes/tracks")) as server:
        assert tell(server.world.seed_url(), "--delay", "0", server=server)[0] == 5
        assert server.plan.fired["counts_hidden"] > 0
        assert read(file, "SELECT count(*) FROM users WHERE likes_given_count IS NOT NULL AND seen_as = 'list'") == [
            (0,)
        ]
        server.use("")
        assert tell("resume", "--delay", "0", server=server)[0] == 0
        found, truth = contents(file), told(expect(WORLD))
        assert found["engagements"] == truth["engagements"]
        assert {key: row[1] for key, row in found["lists"].items()} == {k: row[1] for k, row in truth["lists"].items()}


@pytest.mark.parametrize("path", slow_but(["/favoriters"], ["/favoriters", "/"]))
def test_a_seed_that_brings_nothing_against_its_claims_is_not_complete_and_is_read_again(tell, tmp_path, path):
    with run_in_thread(WORLD, faults=f"items_none[{path}]") as server:
        alone = [server.world.seed_url(), "--read", "likers", "--delay", "0"]
        code, out, _ = tell(*alone, server=server)
        assert code == 6
        assert server.plan.fired["items_none"] >= 2
        assert out.startswith("Harvest ended with gaps")
        assert "No list of who liked the track brought anything, though" in out
        assert tell("resume", "--delay", "0", server=server)[0] == 6
        assert_exact_at_last(tell, server, tmp_path / "t.db", *alone[:1], *READ)


def test_one_list_that_is_empty_against_its_claim_is_asked_once_more_and_then_short(tell, tmp_path):
    file, user = tmp_path / "t.db", victim()
    with run_in_thread(WORLD, faults=f"items_none[{path_of(user)}]", keep_log=True) as server:
        assert crawl(tell, server)[0] == 0
        asked = [place for place, logged in enumerate(server.requests) if path_of(user) in logged.target]
        assert len(asked) == 2
        targets = [logged.target for logged in server.requests]
        assert set(targets[asked[1] :]) <= set(targets[: asked[1]])  # at the end of its round: nobody waits
        assert max(Counter(logged.target for logged in server.requests).values()) == 2
        assert read(file, "SELECT subject_id FROM tasks WHERE kind = 'user_likes' AND outcome = 'short'") == [(user,)]
        assert tell("resume", "--delay", "0", server=server)[0] == 0
        said = tell("retry", server=server)[2]
        assert "Nothing to retry. 2 lists ended as short: `harvest retry --outcome short --cache-path" in said
        assert_exact_at_last(tell, server, file, "retry", "--outcome", "short")


def test_a_list_that_was_empty_once_leaves_nothing_behind(tell, tmp_path):
    with run_in_thread(WORLD, faults="items_none[/likes/tracks]*12") as server:
        assert crawl(tell, server)[0] == 0
        assert server.plan.fired["items_none"] == 12
        assert_exact(tmp_path / "t.db", WORLD, limits=LIMITS)


# -- one list is refused for good


REFUSALS = {
    "unauthorized": ("forbidden", 401),
    "blocked_html": ("failed", 403),
    "waf_challenge": ("failed", 202),
    "throttled_gateway": ("failed", 429),
    "throttled_object(1)": ("failed", 429),
    "unavailable(1)": ("failed", 503),
}


@pytest.mark.first_case
@pytest.mark.parametrize(
    ("fault", "path"),
    all_but(
        [("unauthorized", "/likes/tracks"), ("waf_challenge", "/followings")],
        [*REFUSALS],
        ["/likes/tracks", "/followings"],
    ),
)
def test_a_list_that_is_refused_for_good_ends_alone_and_nobody_else_waits(tell, tmp_path, path, fault):
    file, outcome = tmp_path / "t.db", REFUSALS[fault][0]
    refused = f"/users/soundcloud:users:{victim()}{path}"
    with run_in_thread(WORLD, faults=f"{fault}[{refused}]", keep_log=True) as server:
        assert crawl(tell, server)[0] == (6 if outcome == "failed" else 0)
        assert server.plan.fired[fault.partition("(")[0]] > 0
        failed = read(
            file,
            "SELECT t.subject_id, t.outcome, f.status FROM tasks t JOIN failures f ON f.task_id = t.id"
            " WHERE f.resolved_at IS NULL AND f.class <> 'gone' AND f.status <> 403 OR t.subject_id = ?",
            victim(),
        )
        assert failed == [(victim(), *REFUSALS[fault])]
        assert read(file, OPEN) == [(0,)]
        asked = len(server.requests)
        assert tell("resume", "--delay", "0", server=server)[0] == (6 if outcome == "failed" else 0)
        assert [logged.target for logged in server.requests[asked:]] == []
        assert sum(logged.target == "/oauth/token" for logged in server.requests) == 1
        retry = ["retry"] if outcome == "failed" else ["retry", "--outcome", outcome]
        assert_exact_at_last(tell, server, file, *retry)


@pytest.mark.slow
def test_a_kind_of_list_that_is_refused_for_now_stops_everybody_and_fails_none(tell, tmp_path):
    """What is asked besides is a list of that kind: the others may have a pace of their own."""
    file = tmp_path / "t.db"
    with run_in_thread(WORLD, faults="throttled_gateway[/likes/tracks]@6*100000") as server:
        code, _, err = crawl(tell, server)
        assert (code, "slow down" in err) == (5, True)
        assert server.plan.fired["throttled_gateway"] > 0
        assert read(file, "SELECT count(*) FROM tasks WHERE outcome = 'failed'") == [(0,)]
        assert_exact_at_last(tell, server, file)


# -- the app is refused, or an endpoint withdrawn


MARKED = "SELECT count(*) FROM tasks WHERE outcome IN ('forbidden', 'failed', 'withdrawn')"


@pytest.mark.first_case
@pytest.mark.parametrize(
    ("fault", "at"),
    all_but(
        [("app_refused", 9), ("forbidden_empty", 2)],
        ["app_refused", "forbidden_json", "forbidden_gateway", "forbidden_empty"],
        [1, 2, 9, 20],
    ),
)
def test_an_app_that_is_refused_ends_the_run_and_nobody_is_marked(tell, tmp_path, fault, at):
    file = tmp_path / "t.db"
    with run_in_thread(WORLD, faults=f"{fault}@{at}*100000") as server:
        for command in ([server.world.seed_url(), *READ], ["resume"]):
            code, _, err = tell(*command, "--delay", "0", server=server)
            assert server.plan.fired[fault] > 0
            assert code == 3, err
            assert "refuses this app" in err
            assert "harvest resume" in err
            assert ("subscription" in err) == (fault == "app_refused")
        assert read(file, MARKED) == [(0,)]
        assert read(file, "SELECT count(*) FROM users WHERE status = 'forbidden'") == [(0,)]
        assert read(file, "SELECT count(*) FROM failures WHERE class = 'forbidden'") == [(0,)]
        assert_exact_at_last(tell, server, file)


@pytest.mark.parametrize("fault", slow_but(["forbidden_json"], ["app_refused", "forbidden_json"]))
def test_a_kill_in_the_middle_of_refusals_changes_nothing(tell, start, tmp_path, fault):
    file = tmp_path / "t.db"
    with run_in_thread(WORLD, faults=f"{fault}@9*100000", latency=(0.05, 0.05)) as server:
        process = start(server.world.seed_url(), "--db", file, "--delay", "0.02", *READ, server=server)
        until(lambda: server.plan.fired[fault] >= 3)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert_no_contradiction(file)
        assert_exact_at_last(tell, server, file)


@pytest.mark.parametrize(
    ("fault", "fired"),
    all_but([("missing_json", 3)], ["missing_json", "forbidden_json", "status_400"], [1, 3, 5]),
)
def test_a_kill_while_an_endpoint_is_being_withdrawn_changes_nothing(tell, start, tmp_path, fault, fired):
    file = tmp_path / "t.db"
    with run_in_thread(WORLD, faults=f"{fault}[/likes/tracks]@4*100000", latency=(0.05, 0.05)) as server:
        process = start(server.world.seed_url(), "--db", file, "--delay", "0.02", *READ, server=server)
        until(lambda: server.plan.fired[fault] >= fired)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert_no_contradiction(file)
        found = read(file, "SELECT count(*) FROM failures WHERE class = 'withdrawn'") == [(1,)]  # just before the kill
        assert tell("resume", "--delay", "0", server=server)[0] == (0 if found else 6)
        ended = read(file, "SELECT DISTINCT outcome FROM tasks WHERE kind = 'user_likes' ORDER BY 1")
        assert ended == [("complete",), ("withdrawn",)]
        assert read(file, "SELECT count(*) FROM failures WHERE class = 'withdrawn'") == [(1,)]
        assert_exact_at_last(tell, server, file, "retry", "--class", "withdrawn")


WITHDRAWN = ("status_405", "status_410", "status_400", "forbidden_json", "app_refused", "missing_json")


@pytest.mark.first_case
@pytest.mark.parametrize(
    ("kind", "when", "fault"),
    all_but(
        [("user_likes", "@6*100000", "status_410"), ("user_followings", "", "forbidden_json")],
        ["user_likes", "user_followings"],
        ["", "@6*100000"],
        WITHDRAWN,
    ),
)
def test_an_endpoint_that_is_withdrawn_ends_its_kind_once_and_the_others_go_on(tell, tmp_path, kind, when, fault):
    file, path = tmp_path / "t.db", KINDS[kind]
    with run_in_thread(WORLD, faults=f"{fault}[{path}]{when}", keep_log=True) as server:
        code, out, _ = crawl(tell, server)
        assert server.plan.fired[fault] > 0
        assert code == 6
        assert "Withdrawn: No list of" in out
        (rows,) = read(file, "SELECT count(*) FROM failures WHERE class = 'withdrawn' AND resolved_at IS NULL")
        assert rows == (1,)
        assert read(file, "SELECT DISTINCT kind FROM tasks WHERE outcome = 'withdrawn'") == [(kind,)]
        assert read(file, OPEN) == [(0,)]
        asked = len(server.requests)
        assert tell("resume", server=server)[0] == 0
        assert len(server.requests) == asked
        assert_exact_at_last(tell, server, file, "retry", "--class", "withdrawn")


@pytest.mark.first_case
@pytest.mark.parametrize(
    ("fault", "bound"),
    rows_but(
        [("forbidden_json", 11), ("status_400", 9)],
        [("missing_json", 11), ("forbidden_json", 11), ("forbidden_json", 6), ("status_400", 9)],
    ),
)
def test_a_withdrawn_endpoint_is_told_however_the_harvest_is_cut_into_runs(tell, tmp_path, fault, bound):
    """A run that is bound asks for few of the lists, and few are believed: what is stored of them counts."""
    file = tmp_path / "t.db"
    with run_in_thread(WORLD, faults=f"{fault}[/likes/tracks]") as server:
        command, codes = [server.world.seed_url(), *READ], []
        while not codes or codes[-1] == 7:
            codes.append(tell(*command, "--delay", "0", "--max-requests", str(bound), server=server)[0])
            command = ["resume"]
            assert len(codes) < 100
        assert len(codes) >= 3
        likes = "SELECT DISTINCT outcome FROM tasks WHERE kind = 'user_likes'"
        assert read(file, likes) == [("withdrawn",)]
        assert read(file, "SELECT count(*) FROM users WHERE status = 'forbidden'") == [(0,)]
        assert read(file, "SELECT count(*) FROM failures WHERE class = 'withdrawn'") == [(1,)]
        assert_exact_at_last(tell, server, file, "retry", "--class", "withdrawn")


@pytest.mark.parametrize("fault", slow_but(["forbidden_json"], ["missing_json", "forbidden_json", "status_400"]))
def test_a_withdrawn_endpoint_stays_so_for_the_few_lists_that_a_later_run_wants(tell, tmp_path, fault):
    file = tmp_path / "t.db"
    with run_in_thread(WORLD, faults=f"{fault}[/likes/tracks]", keep_log=True) as server:
        command = [server.world.seed_url(), *READ, "--delay", "0", "--max-users"]
        assert tell(*command, "8", server=server)[0] == 6
        asked = len(server.requests)
        assert tell(*command, "10", server=server)[0] == 6
        assert sum("/likes/tracks" in logged.target for logged in server.requests[asked:]) in range(1, 5)
        likes = "SELECT outcome, count(*) FROM tasks WHERE kind = 'user_likes' GROUP BY 1"
        assert read(file, likes) == [("withdrawn", 10)]
        assert read(file, "SELECT count(*) FROM failures WHERE class = 'withdrawn'") == [(1,)]
        server.use("")
        assert tell("retry", "--class", "withdrawn", "--delay", "0", server=server)[0] == 0
        assert_exact(file, server.world, limits=replace(LIMITS, max_users=10))


@pytest.mark.parametrize("bound", slow_but([3], [2, 3]))
def test_a_bound_of_few_requests_gets_past_people_who_are_refused_twice(tell, tmp_path, bound):
    """Each is asked for once more: of six in flight none would come to that."""
    with run_in_thread(WORLD, faults="forbidden_json[/likes/tracks]") as server:
        command, codes = [server.world.seed_url(), *READ, "--max-users", "6"], []
        while not codes or codes[-1] == 7:
            codes.append(tell(*command, "--delay", "0", "--max-requests", str(bound), server=server)[0])
            command = ["resume"]
            assert len(codes) < 100
        assert read(tmp_path / "t.db", OPEN) == [(0,)]
        server.use("")
        assert tell("retry", "--class", "forbidden", "--delay", "0", server=server)[0] == 0
        assert_exact(tmp_path / "t.db", server.world, limits=replace(LIMITS, max_users=6))


def crawl_as_before(server, path, monkeypatch):
    """Crawl as versions did that blamed a list for whatever it was refused with."""
    with monkeypatch.context() as before:
        before.setattr(judge, "speaks_of_a_kind", lambda error: False)
        assert asyncio.run(Scene(server, path, WORLD, LIMITS, page_size=200).crawl()) == "drained"


@pytest.mark.parametrize("at", slow_but([9], [4, 9, 20]))
def test_people_whom_an_older_version_marked_are_repaired(tell, tmp_path, monkeypatch, at):
    file = tmp_path / "t.db"
    with run_in_thread(WORLD, faults=f"app_refused@{at}*100000") as server:
        crawl_as_before(server, file, monkeypatch)
        marked = read(file, MARKED)[0][0]
        assert marked >= 2
        assert read(file, "SELECT state FROM harvests") == [("drained",)]
        retry = ["retry", "--class", "forbidden"]
        code, _, err = tell(*retry, "--delay", "0", server=server)  # refused as ever: nobody is marked again
        assert (code, f"{marked} lists put back" in err) == (3, True)
        assert read(file, MARKED) == [(0,)]
        assert read(file, "SELECT count(*) FROM users WHERE status = 'forbidden'") == [(0,)]
        assert_exact_at_last(tell, server, file)
    file.unlink()
    with run_in_thread(WORLD, faults=f"app_refused@{at}*100000") as server:
        crawl_as_before(server, file, monkeypatch)
        assert_exact_at_last(tell, server, file, *retry)
        assert read(file, "SELECT count(*) FROM failures WHERE class = 'forbidden' AND resolved_at IS NULL") == [(0,)]


def test_an_endpoint_once_withdrawn_is_not_asked_in_later_rounds(tell, tmp_path):
    file, deep = tmp_path / "t.db", ("--depth", "2", "--max-tracks", "3", "--max-users", "6")
    with run_in_thread(WORLD, faults="missing_json[/followings]", keep_log=True) as server:
        assert tell(server.world.seed_url(), "--delay", "0", *READ, *deep, server=server)[0] == 6
        people = read(file, "SELECT depth, count(DISTINCT thing_id) FROM visits WHERE thing = 'user' GROUP BY depth")
        assert dict(people)[2] > 0
        asked = {logged.target for logged in server.requests if "/followings" in logged.target}
        assert len(asked) == dict(people)[1]
        ended = read(file, "SELECT DISTINCT outcome FROM tasks WHERE kind = 'user_followings'")
        assert ended == [("withdrawn",)]
        server.use("")
        assert tell("retry", "--class", "withdrawn", "--delay", "0", server=server)[0] == 0
        assert read(file, "SELECT count(*) FROM tasks WHERE outcome = 'withdrawn'") == [(0,)]


def test_people_blamed_while_an_endpoint_was_failing_are_taken_back_when_it_is_withdrawn(tell, tmp_path):
    file, likes = tmp_path / "t.db", "[/likes/tracks]"
    faults = f"forbidden_json{likes}@3*4,forbidden_json{likes}@8*100000"  # two are refused, twice each, one is not
    with run_in_thread(WORLD, faults=faults) as server:
        code, out, _ = tell(server.world.seed_url(), "--delay", "0", "--concurrency", "1", *READ, server=server)
        assert (code, "Withdrawn: No list of" in out) == (6, True)
        ended = read(file, "SELECT outcome, count(*) FROM tasks WHERE kind = 'user_likes' GROUP BY 1 ORDER BY 1")
        assert [outcome for outcome, _ in ended] == ["complete", "withdrawn"]
        assert ended[0][1] == 3
        assert read(file, "SELECT count(*) FROM users WHERE status = 'forbidden'") == [(0,)]
        assert_exact_at_last(tell, server, file, "retry", "--class", "withdrawn")
