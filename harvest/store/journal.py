"""Keep each act beside the file, with the reply that brought it, before the file has it.

The two files name each other by a number drawn at random, and the file knows the last act that it holds. An act is on
the disk before the transaction of the file that it tells of commits. So a process may be killed between the two, or the
power cut: then acts are there that the file never had. No reader has seen them, and they are dropped. The other way
round cannot happen by itself: where replies are missing, another file stands in their place, and nothing is written.

In: acts. Out: a file of replies, one row of `replies`. Never: a secret.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from harvest._version import __version__
from harvest.api.seed_urls import public_address
from harvest.errors import StoreError
from harvest.models import Plain
from harvest.replies.files import kept_of
from harvest.replies.keeper import Keeper
from harvest.replies.recording import first_acts
from harvest.store.act_kinds import NAMES, Act, Began, Forgets, as_detail
from harvest.store.database import FileGuard
from harvest.store.schema import schema_version

_SIDE_FILES = ("", "-wal", "-shm")


class Journal:
    """The acts of a file, as they are kept beside it."""

    def __init__(self, keeper: Keeper, path: Path, key: bytes, *, is_new: bool, is_unfinished: bool) -> None:
        """`is_unfinished`: what is to be taken out of the replies may still be there, as an act `Forgets` says."""
        self.path, self.is_new, self.is_unfinished = path, is_new, is_unfinished
        self._keeper = keeper
        self._key = key
        self.guard = FileGuard(path)

    def note(
        self,
        connection: sqlite3.Connection,
        act: Act,
        body: bytes | None = None,
        body_hash: int | None = None,
        *,
        is_read: bool = True,
        plain: Plain | None = None,
    ) -> None:
        """Keep an act, at the end of the transaction that does it; of a body that cannot be read, the shape of what is
        cut stays. One that is known to be `plain` is not read for it. Raises StoreError.
        """
        (last,) = connection.execute("SELECT act FROM replies").fetchone()
        if self._keeper.last != last:  # the transaction that was to follow an act was not committed, then or just now
            self._keeper.drop_after(last)
        number = self._keeper.note(NAMES[type(act)], as_detail(act), body, body_hash, is_read=is_read, plain=plain)
        hold(connection, number)
        self.is_unfinished |= isinstance(act, Forgets)

    def has_state(self) -> bool:
        """Say whether the file as it once was stands among the acts. Raises StoreError."""
        return self._keeper.has_state()

    def cut_people(self, *, at_full_profiles: bool, emptied: bool) -> None:
        """Cut from the replies kept so far what the file has been `emptied` of, by this run or one that was killed
        before it came so far. Raises StoreError.
        """
        if self._keeper.has_full_profiles and (emptied or not at_full_profiles):
            self._keeper.cut_people()

    def without_secret(self, address: str) -> str:
        """Give the address of a seed without the secret of a private link, as `without_secret` does."""
        return without_secret(address, self._key)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Fold its log in, and close it. Raises StoreError, unless there is another error already."""
        with contextlib.suppress(*([] if error is None else [StoreError])):
            self._keeper.close()


@contextlib.contextmanager
def go_on(connection: sqlite3.Connection, path: Path) -> Iterator[Journal | None]:
    """Go on keeping the acts of a file, inside a transaction; None where none are kept so far. Raises StoreError."""
    if is_kept(connection):
        with keep(connection, path, full_profiles=False, service="") as journal:
            yield journal
    else:
        yield None


def keep(connection: sqlite3.Connection, path: Path, *, full_profiles: bool, service: str) -> Journal:
    """Begin to keep the acts of a file, or go on with it, inside the transaction of its first act.

    Raises StoreError where the replies kept so far are not there, or are those of another file.
    """
    replies = kept_of(path)
    pair, last = pair_of(connection) or ("", 0)
    is_new = not pair
    if is_new:
        _make_way(replies)
        pair = secrets.token_hex(8)
        name_pair(connection, pair, 0)
    elif not replies.exists():
        raise StoreError(f"{path} keeps its replies in {replies}, which is not there: {_WHAT_TO_DO}.")
    (key,) = connection.execute("SELECT key FROM file_key").fetchone()
    (pages,) = connection.execute("SELECT count(*) FROM pages").fetchone()
    keeper = Keeper.open(
        replies,
        pair=pair,
        key=key,
        full_profiles=full_profiles,
        harvest=__version__,
        main_schema=schema_version(),
        pages_before=pages,
        service=service,
    )
    try:
        if keeper.last < last:
            raise StoreError(
                f"{replies} ends at act {keeper.last:,}, and {path} is at {last:,}: it is an older copy. {_WHAT_TO_DO}."
            )
        if keeper.is_newer_than(last):
            raise StoreError(
                f"Something was taken out of {replies} since {path} was copied: the file is an older copy, and may hold"
                " it still. Put back the one that belongs to the replies, or keep no more of them with"
                " --no-keep-replies."
            )
        was_cut = connection.execute("SELECT 1 FROM forgettings").fetchone() is not None
        is_unfinished = keeper.is_unfinished(was_cut=was_cut)
    except BaseException:
        keeper.close()
        raise
    return Journal(keeper, replies, key, is_new=is_new, is_unfinished=is_unfinished)


def without_secret(address: str, key: bytes) -> str:
    """Give the address of a seed with something made up in the place of the secret of a private link, the same whenever
    it is asked for under one key.
    """
    if public_address(address) == address:
        return address
    head, _, secret = address.rpartition("/")
    return f"{head}/s-{blake2b(secret.encode(), digest_size=8, key=key).hexdigest()}"


_WHAT_TO_DO = "Put back the one that belongs to it, or keep no more of them with --no-keep-replies"


def hold(connection: sqlite3.Connection, number: int) -> None:
    """Say that a file holds its acts up to one, inside the transaction that does it."""
    connection.execute("UPDATE replies SET act = ?", (number,))


def name_pair(connection: sqlite3.Connection, pair: str, last: int) -> None:
    """Say which replies belong to a file, and that it holds their acts up to one."""
    connection.execute("INSERT INTO replies VALUES (1, ?, ?)", (pair, last))


def is_kept(connection: sqlite3.Connection) -> bool:
    """Say whether a file keeps its acts."""
    return pair_of(connection) is not None


def keep_no_more(connection: sqlite3.Connection) -> bool:
    """End the keeping, inside a transaction; what is kept stays as it is. Say whether anything was kept."""
    return is_kept(connection) and connection.execute("DELETE FROM replies").rowcount > 0


def pair_of(connection: sqlite3.Connection) -> tuple[str, int] | None:
    """Give what names the replies of a file, and the last act that it holds; None where none are kept."""
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'replies'").fetchone() is None:
        return None  # made by an older version, and not brought over yet
    row = connection.execute("SELECT pair, act FROM replies").fetchone()
    return (row[0], row[1]) if row else None


def _make_way(replies: Path) -> None:
    """Take away what a run has left that was killed before the file had its first act: it holds no reply.

    Raises StoreError where there is more.
    """
    if not replies.exists():
        return
    if first_acts(replies, 2) not in ([], [NAMES[Began]]):
        raise StoreError(
            f"{replies} holds the replies of another file, or of this one from before: move it away, then run the same"
            " command again."
        )
    for end in _SIDE_FILES:
        replies.with_name(replies.name + end).unlink(missing_ok=True)
