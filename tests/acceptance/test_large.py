"""The size people really use: 2,000 likers with hundreds of likes each."""

from __future__ import annotations

import pytest

from harvest.models import Limits
from harvest.simulator import World, run_in_thread
from tests.crawling import assert_exact


@pytest.mark.parametrize(
    ("likers", "likes"),
    [pytest.param(500, 300, marks=pytest.mark.slow), pytest.param(2000, 500, marks=pytest.mark.soak)],
)
@pytest.mark.timeout(1800)
def test_many_likers_with_hundreds_of_likes_each_equal_the_truth(run, tmp_path, likers, likes):
    world = World(5, users=likers * 5 // 4, tracks=20_000, likes_per_user=likes, seed_likers=likers, spread=0)
    path = tmp_path / "t.db"
    with run_in_thread(world, gzip=False) as server:
        done = run(
            world.seed_url(),
            "--db",
            path,
            "--max-users",
            str(likers),
            "--delay",
            "0",
            "-q",
            server=server,
            timeout=1500,
        )
    assert done.returncode == 0, done.stderr
    assert_exact(path, world, limits=Limits(max_users=likers))
    assert run("verify", "--db", path).returncode == 0
