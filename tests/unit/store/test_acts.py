"""What an act needs besides what stands in the file, when it is done again."""

from __future__ import annotations

from harvest.errors import Withdrawn
from harvest.store import withdrawals

from .conftest import NOW


def outcomes(books):
    return dict(books.rows("SELECT subject_id, outcome FROM tasks WHERE kind = 'user_likes'"))


def test_a_withdrawal_done_again_spares_whom_somebody_was_reading(open_books):
    """Nobody marks lists as being read in a replay: the act says who was."""
    error = Withdrawn("No list is answered any more.", status=404)
    books = open_books()
    books.resolve(1)
    books.follow(10, 11, 12)
    refused = books.claim("user_likes", 10)
    assert sorted(withdrawals.being_read(books.db.conn, "user_likes")) == [10, 11, 12]
    books.committer.withdraw([refused], error, NOW, NOW, {}, being_read=[11])
    assert outcomes(books) == {10: "withdrawn", 11: None, 12: "withdrawn"}
    books.committer.withdraw([refused], error, NOW, NOW, {})
    assert outcomes(books)[11] is None
    books.committer.withdraw([refused], error, NOW, NOW, {}, being_read=[])
    assert outcomes(books)[11] == "withdrawn"
