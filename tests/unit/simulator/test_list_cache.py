from __future__ import annotations

from harvest.simulator.world.list_cache import Entries, KeptLists


def test_lists_are_remembered_within_a_budget():
    made: list[int] = []

    def make(kind: str, subject: int) -> Entries:
        made.append(subject)
        return Entries((0,) * subject, (0,) * subject)

    kept = KeptLists(make, budget=10)
    for subject in (4, 5, 4, 3, 4, 5):
        assert len(kept("user_likes", subject).items) == subject
    assert made == [4, 5, 3, 5]
    assert kept.held <= 10
    assert len(kept("user_likes", 50).items) == 50
    assert kept.held == 50
    kept("user_likes", 1)
    assert kept.held == 1
