"""Take what was forgotten out of the replies that are kept beside a file.

What the service said of it is cut from every body, and acts that tell of its lists are told no more; other pages and
failures stay, for `simulate --from`. From such acts no file can be made again, so the file itself follows them, as it
is now: it comes back with `harvest replay`, as it was forgotten in.

It is known by number, or by the numbers in `suppressed`: so what a killed process had only begun is found again,
without a name.

In: a path. Out: the replies beside it. Never: a row of the file itself.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import zip_longest
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode

import msgspec
from msgspec.structs import replace

from harvest._version import __version__
from harvest.errors import StoreError
from harvest.forgetting import proof
from harvest.forgetting.bodies import IsGone, addresses_in, named_in, without_gone
from harvest.forgetting.gone import Gone
from harvest.lists import KINDS, LOOKUP
from harvest.replies import rewriting
from harvest.replies.files import kept_of
from harvest.replies.keeper import FORGETS, GONE, STATE
from harvest.replies.recording import Act as Told
from harvest.replies.recording import Recording
from harvest.store import act_kinds, journal, suppression, tables
from harvest.store.schema import schema_version
from harvest.store.suppression import Named
from harvest.system.escapes import in_the_clear
from harvest.system.files import beside
from harvest.things import SHOWN

_PIECE = 4 << 20  # bytes
_BLANK = (GONE, act_kinds.as_detail(act_kinds.Gone()))
_NOT_OF_ALL = ("lease", "replies", "handouts")  # tables: of processes, and of what has left the file


def find(connection: sqlite3.Connection, path: Path, *, to_finish: bool = False) -> Path | None:
    """Give the file with the replies of a file, None where there is none.

    Raises StoreError where it is missing, or another one stands in its place; and where something was begun
    and not ended, unless that is what it is asked for.
    """
    replies = kept_of(path)
    (key,) = connection.execute("SELECT key FROM file_key").fetchone()
    if rewriting.belongs(replies, key) and _fits(connection, replies):
        if is_begun(replies) and not to_finish:
            raise StoreError(
                f"{replies} may still hold what was being taken out of {path}: end that with `harvest forget --finish`,"
                " then run this command again."
            )
        return replies
    if replies.exists():
        raise StoreError(
            f"{replies} holds the replies of another file, or of an earlier one, which may hold what is to go: delete"
            " it or move it away, then run this command again."
        )
    if journal.is_kept(connection):
        raise StoreError(
            f"{path} keeps its replies in {replies}, which is not there, and would still hold what is to go. Put it"
            " back, or keep no more of them with `harvest resume --no-keep-replies`; then run this command again."
        )
    return None


def _fits(connection: sqlite3.Connection, replies: Path) -> bool:
    """Say whether replies are those that a file keeps, as far as it is; if it keeps none, any of its own will do."""
    pair, last = rewriting.last_of(replies)
    mine = journal.pair_of(connection)
    return mine is None or (mine[0] == pair and mine[1] <= last)


def begin(
    connection: sqlite3.Connection, replies: Path | None, *, before: str | None = None, gone: bool = False
) -> None:
    """Say in the replies that something is being taken out, at the end of the transaction that does it in the file:
    a process that is killed between the two leaves replies of which nothing is made. Raises StoreError.
    """
    if replies is None:
        return
    mine = journal.pair_of(connection)
    if mine is not None:
        rewriting.take_back(replies, mine[1])  # what the file never had
    act = act_kinds.Forgets(before=before, gone=gone)
    number = rewriting.begin(replies, (FORGETS, act_kinds.as_detail(act)))
    if mine is not None:
        journal.hold(connection, number)


def is_begun(replies: Path) -> bool:
    """Say whether a process began to take something out and did not finish. Raises StoreError."""
    return bool(rewriting.unfinished_in(replies))


def go_on(connection: sqlite3.Connection, path: Path, replies: Path, *, forgets: bool, now: str) -> None:
    """End what was begun, or take it back where the file has not come so far; `forgets`: something was forgotten in it
    and may not be out of the replies. Raises StoreError.
    """
    mine = journal.pair_of(connection)
    if mine is not None:
        rewriting.take_back(replies, mine[1])  # what the file never had
    begun = [
        (number, act)
        for number, detail in rewriting.unfinished_in(replies)
        if isinstance(act := act_kinds.from_detail(FORGETS, detail), act_kinds.Forgets)
    ]
    times = [act.before for _, act in begun if act.before is not None]
    if times:
        take_out_before(connection, path, replies, max(times), now=now)
    if any(act.gone for _, act in begun):
        take_out_gone(connection, path, replies, now=now)
    plain = [number for number, act in begun if act.before is None and not act.gone]
    if forgets or (plain and suppression.has_any(connection)):
        take_out(connection, path, replies, now=now)
    elif plain and len(plain) == len(begun):
        rewriting.take_back(replies, plain[0] - 1)


def take_out_before(connection: sqlite3.Connection, path: Path, replies: Path, moment: str, *, now: str) -> None:
    """Take out of the replies what was told before a moment. All of it or nothing. Raises StoreError."""
    acts = _Acts(connection, lambda named: False, ())

    def tell(told: Told) -> rewriting.Told | None:
        at = told.detail.get("fetched_at", told.detail.get("now", ""))
        is_late = told.what == act_kinds.NAMES[act_kinds.Began] or at >= moment
        return acts.kept(told) if is_late else None

    with beside(path) as part:
        state = _state(connection, part, now)
        rewriting.rewrite(replies, cut=lambda body: body, tell=tell, blank=_BLANK, more=state)


def has_older(replies: Path | None, moment: str) -> bool:
    """Say whether anything is in the replies that was told before a moment. Raises StoreError."""
    return replies is not None and rewriting.has_told_before(replies, moment)


def take_out_gone(connection: sqlite3.Connection, path: Path, replies: Path, *, now: str) -> None:
    """Take out of the replies what a file calls gone. All of it or nothing. Raises StoreError."""
    wanted = [
        (thing.name, row[0])
        for thing in SHOWN
        for row in connection.execute(f"SELECT id FROM {thing.table} WHERE status = 'gone'")  # noqa: S608 - our own words
    ]
    take_out(connection, path, replies, wanted, now=now)


def take_out(
    connection: sqlite3.Connection,
    path: Path,
    replies: Path,
    wanted: Collection[Named] | None = None,
    texts: Collection[str] | None = None,
    *,
    now: str,
) -> None:
    """Take out of the replies what was forgotten in a file: what is `wanted`, to which `texts` lead; or whatever was,
    where that is not known any more. All of it or nothing. Raises StoreError.
    """
    gone = Gone(connection, wanted)
    acts = _Acts(connection, gone, texts)
    with beside(path) as part:
        rewriting.rewrite(
            replies,
            cut=lambda body: without_gone(body, gone) if gone.may_stand_in(body) else body,
            tell=acts.kept,
            blank=_BLANK,
            more=_state(connection, part, now),
        )


def fold(replies: Path | None) -> bool:
    """Get rid of the old bytes of replies; False when a reader prevents it. Raises StoreError."""
    return replies is None or rewriting.fold(replies)


def files_of(replies: Path | None) -> list[Path]:
    """Give the files that hold replies: theirs, and what SQLite puts beside it."""
    return [] if replies is None else proof.files_of_database(replies)


def found_in(replies: Path | None, texts: Collection[str], of_others: Collection[str]) -> tuple[Counter[str], int]:
    """Count the texts in replies in the clear, as words, but for those that are of others as well; and the bodies in
    which others name them, in their own words: in any field but those of addresses and URNs. The file that stands among
    them is searched itself.
    """
    found: Counter[str] = Counter()
    named = 0
    if replies is None:
        return found, named
    words = proof.pattern_of_words(texts)

    def told_of(said: bytes) -> list[str]:
        return [one for match in words.findall(said) if (one := match.decode(errors="replace")) not in of_others]

    with Recording.open(replies) as recording:
        for told in recording.acts(with_bodies=False):
            found.update(told_of(msgspec.json.encode(told.detail)))
            if "\\" in (reply := str(told.detail.get("reply", ""))):  # a piece of JSON, in which a name may hide
                found.update(told_of(in_the_clear(reply.encode()).encode(errors="replace")))
            if told.body_id is None or told.what == STATE:
                continue
            body = in_the_clear(recording.body(told.body_id)).encode(errors="replace")
            if words.search(body):
                leads = [one for said in addresses_in(body) for one in told_of(said.encode(errors="replace"))]
                found.update(leads)
                named += not leads
    return found, named


class _Acts:
    """Chooses what stays of each act: only what `simulate --from` needs, of lists of others."""

    def __init__(self, connection: sqlite3.Connection, is_gone: IsGone, texts: Collection[str] | None) -> None:
        self._is_gone = is_gone
        self._names = None if texts is None else proof.pattern_of(texts)
        (key,) = connection.execute("SELECT key FROM file_key").fetchone()
        rows = connection.execute("SELECT address, aliases FROM seeds")
        self._seeds = {
            journal.without_secret(one, key) for address, aliases in rows for one in (address, *json.loads(aliases))
        }

    def kept(self, told: Told) -> rewriting.Told | None:
        """Give what stays of an act, None where nothing does."""
        act = act_kinds.from_detail(told.what, told.detail)
        kept: act_kinds.Act | None = None
        match act:
            case act_kinds.Began():
                kept = self._began(act)
            case act_kinds.KeptPage():
                kept = self._page(act)
            case act_kinds.Failed():
                kept = self._failed(act)
            case act_kinds.Withdrew():
                kept = self._withdrew(act)
        return None if kept is None else (told.what, act_kinds.as_detail(kept))

    def _began(self, act: act_kinds.Began) -> act_kinds.Began:
        mine = [([one for one in addresses if one in self._seeds], limits) for addresses, limits in act.harvests]
        return replace(act, harvests=[one for one in mine if one[0]], options={}, sweep=None)

    def _page(self, act: act_kinds.KeptPage) -> act_kinds.KeptPage | None:
        about, request = self._about(act), act.request
        if act.kind == LOOKUP.name and about != act.about:
            path, _, query = request.partition("?")
            pairs = [(name, self._others(said) if name == "urns" else said) for name, said in parse_qsl(query)]
            request = f"{path}?{urlencode(pairs)}"
        if not self._stays(act, about) or self._names_it(request) or self._names_it(act.next_cursor or ""):
            return None
        return replace(act, about=about, request=request, hash=None, tally={})

    def _failed(self, act: act_kinds.Failed) -> act_kinds.Failed | None:
        about = self._about(act)
        if not self._stays(act, about) or self._names_it(act.named or ""):
            return None
        return replace(act, about=about, message="", reply=self._reply(act.reply), tally={})

    def _withdrew(self, act: act_kinds.Withdrew) -> act_kinds.Withdrew | None:
        others = [
            (subject, named)
            for subject, named in zip_longest(act.subjects, act.named)
            if not self._is_of_gone(act.kind, subject) and not self._names_it(named or "")
        ]
        if not others:
            return None
        return replace(
            act,
            subjects=[subject for subject, _ in others],
            named=[named for _, named in others if named],
            message="",
            reply=self._reply(act.reply),
            being_read=[],
            tally={},
        )

    def _about(self, act: act_kinds.OfList) -> str | None:
        """Give what a look-up is about, without what was forgotten."""
        return self._others(act.about) if act.kind == LOOKUP.name and act.about else act.about

    def _stays(self, act: act_kinds.OfList, about: str | None) -> bool:
        if self._is_of_gone(act.kind, act.subject):
            return False
        if act.kind == LOOKUP.name:
            return bool(about)
        return not about or (about in self._seeds and not self._names_it(about))

    def _is_of_gone(self, kind: str, subject: int) -> bool:
        return kind not in KINDS or self._is_gone((KINDS[kind].subject, subject))

    def _others(self, urns: str) -> str:
        return ",".join(urn for urn in urns.split(",") if not any(map(self._is_gone, named_in(urn))))

    def _names_it(self, text: str) -> bool:
        if any(map(self._is_gone, named_in(text))):
            return True
        if self._names is None:
            return False
        spellings = (unquote(text), in_the_clear(text.encode(errors="replace")))
        return any(self._names.search(one.encode(errors="replace")) for one in spellings)

    def _reply(self, text: str) -> str:
        """Give what stays of what a failure was told with: nothing, where names cannot be looked for any more."""
        return "" if self._names is None or self._names_it(text) else text


def _state(connection: sqlite3.Connection, part: Path, now: str) -> Iterator[tuple[rewriting.Told, bytes]]:
    """Give the file as it is now, in pieces, without the secrets of private links."""
    (key,) = connection.execute("SELECT key FROM file_key").fetchone()
    connection.execute("VACUUM INTO ?", (str(part),))
    with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")
        for table in _NOT_OF_ALL:
            copy.execute(f"DELETE FROM {table}")  # noqa: S608 - our own words
        for seed, address, aliases in copy.execute("SELECT id, address, aliases FROM seeds").fetchall():
            others = json.dumps([journal.without_secret(one, key) for one in json.loads(aliases)])
            if (journal.without_secret(address, key), json.loads(others)) != (address, json.loads(aliases)):
                copy.execute(
                    "UPDATE seeds SET address = ?, aliases = ? WHERE id = ?",
                    (journal.without_secret(address, key), others, seed),
                )
        copy.execute("UPDATE forgettings SET erased_at = ? WHERE erased_at IS NULL", (now,))  # it has no old bytes
        tables.drop_others(copy)
        copy.execute("VACUUM")
    pieces = -(-part.stat().st_size // _PIECE)
    with part.open("rb") as file:
        for number in range(1, pieces + 1):
            act = act_kinds.State(now=now, version=__version__, schema=schema_version(), piece=number, pieces=pieces)
            yield (STATE, act_kinds.as_detail(act)), file.read(_PIECE)
