"""What is nobody's fault: a service, an endpoint or an app that fails many lists alike, and one list that fails alone.

Each table has a row per kind of list. After every crawl `verify` must find nothing (`tests/faulty.py`).
"""

from __future__ import annotations

import json

import pytest

from harvest.simulator import run_in_thread
from tests.crawling import read
from tests.faulty import WORLD

QUICK = {"HARVEST_HOLD_SECONDS": "0.02", "HARVEST_RETRY_SECONDS": "0.002"}
KINDS = {"user_likes": "/likes/tracks", "user_followings": "/followings", "track_likers": "/favoriters"}
READ = ("--read", "likers,reposters,likes,followings")


@pytest.fixture
def tell(run, tmp_path):
    """Run a command over the file of the test; give its exit code, stdout and stderr."""

    def call(*arguments, server, **environ):
        shown = run(*arguments, "--db", tmp_path / "t.db", server=server, **QUICK, **environ)
        assert "unexpected" not in shown.stderr
        return shown.returncode, shown.stdout, shown.stderr

    return call


def crawl(tell, server):
    return tell(server.world.seed_url(), "--delay", "0", *READ, server=server)


# -- every list of a kind is unreadable, or fails


@pytest.mark.parametrize(("kind", "path"), KINDS.items())
@pytest.mark.parametrize(
    ("fault", "outcome", "why"),
    [
        ("shape_no_collection", "unreadable", "the service has changed what it answers"),
        ("shape_list", "unreadable", "the service has changed what it answers"),
        ("status_431", "failed", "none was answered"),
    ],
)
def test_a_kind_that_nobody_could_read_is_a_gap_and_the_headline_says_so(
    tell, tmp_path, kind, path, fault, outcome, why
):
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
