"""A simulator that moves while it is asked, over real connections."""

from __future__ import annotations

import httpx
import pytest

from harvest.simulator import Drift, World, run_in_thread


@pytest.fixture(scope="module")
def world() -> World:
    """A world in which much changes."""
    return World(1, 300, 600, likes_per_user=20, seed_likers=120, drift=Drift(come=0.1, go=0.1, people_go=0.05))


def test_a_running_server_moves_from_one_request_to_the_next(world):
    path = f"/tracks/{world.seed_ids(1)[0]}/favoriters?limit=200&linked_partitioning=true"
    with run_in_thread(world, faults="error_503_text@4") as server:
        headers = {"Authorization": f"OAuth {server.token()}"}
        replies = []
        for day in (0, 3, 7.5, 7.5, 0):
            server.move(day)
            replies.append(httpx.get(server.url + path, headers=headers))
        assert server.world is world
        assert server.plan.requests == server.total == 5
    assert [reply.status_code for reply in replies] == [200, 200, 200, 503, 200]
    assert {reply.headers["x-harvest-world"] for reply in replies} == {world.name}
    for day, reply in ((0, replies[0]), (3, replies[1]), (7.5, replies[2]), (0, replies[4])):
        moved = world.at(day)
        likers = [user["urn"] for user in reply.json()["collection"]]
        listed = moved.listing("track_likers", world.seed_ids(1)[0])
        assert likers == [f"soundcloud:users:{user}" for user in listed]
    assert replies[0].content == replies[4].content != replies[1].content != replies[2].content


def test_a_server_can_move_before_it_listens(world):
    with run_in_thread(world.at(4)) as server:
        assert server.world.moment == 4
        server.move(9)
        reply = httpx.get(f"{server.url}/me", headers={"Authorization": f"OAuth {server.token(user=True)}"})
    assert reply.json()["urn"] == f"soundcloud:users:{world.me_id}"
