"""Lists that never answer are failed, each by itself, however many they are; only silence on all sides is an outage."""

from __future__ import annotations

from itertools import product

import pytest

from harvest.errors import Blocked
from harvest.simulator.oracle import expect
from tests.crawling import read
from tests.faulty import WORLD, path_of, play
from tests.repetitions import slow_but

pytestmark = pytest.mark.timeout(240)

PEOPLE = sorted(user for kind, user in expect(WORLD).lists if kind == "user_likes")
ENDS = "SELECT subject_id, outcome FROM tasks WHERE kind = 'user_likes' AND outcome = 'failed' ORDER BY subject_id"


BREAKS = ["reset_before_headers", "reset_in_body", "broken_gzip", "truncated_with_length", "close_before_headers"]
QUICK = [(8, "reset_in_body"), (0, "broken_gzip")]


@pytest.mark.first_case
@pytest.mark.parametrize("last_and_fault", slow_but(QUICK, product((8, 0), BREAKS)), ids=repr)
def test_many_lists_that_break_off_for_ever_fail_alone(tmp_path, last_and_fault):
    last, fault = last_and_fault
    bad = PEOPLE[-last:]  # of 0: all

    async def scene(it):
        assert await it.crawl() == "drained"
        assert [user for user, _ in read(it.path, ENDS)] == bad
        await it.mend()
        it.assert_exact()

    play(tmp_path / "t.db", scene, faults=",".join(f"{fault}[{path_of(user)}]" for user in bad))


@pytest.mark.first_case
@pytest.mark.parametrize("fault", ["reset_before_headers", "truncated_with_length"])
def test_one_that_is_retried_in_a_run_of_its_own_fails_again(tmp_path, fault):
    bad = PEOPLE[3]

    async def scene(it):
        for _ in range(2):
            assert await it.crawl() == "drained"
            assert read(it.path, ENDS) == [(bad, "failed")]
            it.put_back()

    play(tmp_path / "t.db", scene, faults=f"{fault}[{path_of(bad)}]")


def test_silence_on_all_sides_is_an_outage_and_no_list_is_blamed(tmp_path):
    async def scene(it):
        assert isinstance(await it.crawl(), Blocked)
        assert read(it.path, ENDS) == []
        it.server.use("")
        assert await it.crawl() == "drained"
        it.assert_exact()

    play(tmp_path / "t.db", scene, faults="reset_before_headers@9*100000")
