"""The size people really use: 2,000 likers with hundreds of likes each."""

from __future__ import annotations

import pytest

from harvest.models import Limits
from harvest.simulator import World, run_in_thread
from tests.crawling import assert_exact


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_thousand_likers_with_some_five_hundred_likes_each_equal_the_truth(run, tmp_path):
    world = World(5, users=2500, tracks=20_000, likes_per_user=500, seed_likers=2000, spread=0)
    path = tmp_path / "t.db"
    with run_in_thread(world, gzip=False) as server:
        done = run(
            world.seed_url(), "--db", path, "--max-users", "2000", "--delay", "0", "-q", server=server, timeout=1500
        )
    assert done.returncode == 0, done.stderr
    assert_exact(path, world, limits=Limits(max_users=2000))
    assert run("verify", "--db", path).returncode == 0
