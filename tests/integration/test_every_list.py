"""Every declared kind of list is asked for, parsed and stored by its declaration alone."""

from __future__ import annotations

import asyncio

import pytest

from harvest.lists import KINDS
from harvest.models import Limits, Task
from harvest.simulator import World, serve
from harvest.store import harvests, runs
from harvest.store.commit import PageCommitter
from harvest.system.clock import SystemClock
from harvest.things import THINGS
from harvest.wiring import connect
from tests.crawling import settings_for

NOW = "2026-11-20T10:00:00Z"
LISTS = [kind for kind in KINDS.values() if kind.subject in THINGS]


@pytest.fixture(scope="module")
def world() -> World:
    return World(4, users=200, tracks=600, playlists=900, likes_per_user=20, null_entries=0.05, gone=0, forbidden=0)


def a_subject(world: World, kind) -> int:
    """The subject with the longest list of this kind, so that it has several pages."""
    ids = [world.id(kind.subject, index) for index in range(min(world.facts.ids[kind.subject].count, 600))]
    return max(ids, key=lambda subject: len(world.listing(kind.name, subject)))


def read_one_list(db, world: World, kind, subject: int, page_size: int) -> tuple[str, int]:
    """Read a list page by page; give its outcome and how many pages it had."""
    conn = db.conn
    with db.atomic():
        harvest = harvests.enrol(conn, ["https://soundcloud.com/a/b"], Limits(), NOW)
        run_id = runs.start_run(conn, now=NOW, options={}, api_url="http://127.0.0.1", credential_kind="test")
        harvests.begin(conn, [harvest], NOW)
        # a subject is always known before its lists are: it stood on a page
        page = conn.execute(
            "INSERT INTO pages (task_id, reading, number, run_id, request, first_rank, received, skipped, kept,"
            " fetched_at, elapsed_ms, bytes) VALUES (1, 0, 0, ?, '', 0, 0, 0, 0, '', 0, 0)",
            (run_id,),
        ).lastrowid
        row = {"id": subject, "first_seen_at": NOW, "last_seen_on": NOW[:10]}
        row |= {"seen_as": "list"} if kind.subject in ("track", "user") else {"first_page_id": page}
        urn = world.facts.stations.urn(world.index("station", subject)) if kind.subject == "station" else None
        row |= {"urn": urn} if urn else {}
        db[THINGS[kind.subject].table].insert(row)
        task_id = conn.execute("INSERT INTO tasks (kind, subject_id) VALUES (?, ?)", (kind.name, subject)).lastrowid
        conn.execute("INSERT INTO readings (task_id, number, kind) VALUES (?, 0, ?)", (task_id, kind.name))

    async def walk() -> tuple[str, int]:
        committer = PageCommitter(db, run_id)
        async with (
            serve(world, gzip=False) as server,
            connect(settings_for(server), clock=SystemClock(), delay=0) as connection,
        ):
            task, pages = Task(task_id, kind.name, subject, page_size=page_size, subject_urn=urn), 0
            while True:
                receipt = committer.keep(task, await connection.client.fetch(task), connection.client.take_tally())
                task, pages = receipt.task, pages + 1
                if receipt.outcome is not None:
                    return receipt.outcome.value, pages

    return asyncio.run(walk())


@pytest.mark.parametrize("kind", LISTS, ids=lambda kind: kind.name)
def test_a_list_of_every_kind_is_read_as_declared(db, world, kind):
    subject = a_subject(world, kind)
    expected = world.listing(kind.name, subject)
    assert len(expected) > 1, "the world has no such list to try"
    page_size = max(1, len(expected) // 4)
    outcome, pages = read_one_list(db, world, kind, subject, page_size)
    edge = kind.edge
    of_type = f"AND engagement_type = '{edge.engagement_type}'" if edge.engagement_type else ""
    rows = db.conn.execute(
        f"SELECT {edge.item}, {edge.rank} FROM {edge.table}"
        f" WHERE {edge.subject} = ? AND {edge.rank} IS NOT NULL {of_type} ORDER BY {edge.rank}",
        (subject,),
    )
    assert [tuple(row) for row in rows] == [(item, rank) for rank, item in enumerate(expected)]
    assert outcome == "complete"
    assert pages == 1 if kind.inside else pages >= len(expected) // page_size
    assert db.conn.execute("PRAGMA foreign_key_check").fetchall() == []
