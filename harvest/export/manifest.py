"""Say what an export holds: manifest.json, with which a reader can check it, repeat it, and know what it leaves out."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harvest._version import __version__
from harvest.api.seed_urls import public_address
from harvest.citing.facts import facts
from harvest.citing.methods import methods
from harvest.explore.changes import newest_version
from harvest.export.folder import MAKER
from harvest.export.job import Job, OutFile
from harvest.export.pseudonyms import key_name
from harvest.export.tables import LIKES_LIST
from harvest.export.weights import designs
from harvest.store.lease import holder_of
from harvest.terms import ATTRIBUTION, RESTRICTIONS

FORMAT_VERSION = 1

_ORDER = (
    "There are no times: SoundCloud tells none of likes. user_list_rank and track_list_rank are places in one list, 0 "
    "first; a smaller one is newer as far as is known. They compare entries of that one list and nothing else; empty: "
    "not seen in it. Where a reader wants a time, it gets an order: the negated user_list_rank, so larger is newer, "
    "and for unknown ones a value below all others of the file."
)
_BIASES = (
    "A snowball: users were found as likers or reposters of the seeds, so the seeds are liked by nearly everybody "
    "here, and what is near them is met more often than elsewhere.",
    "Caps: a list that is not `complete` lacks its older part or more; see likes_complete and the outcomes above. "
    "Popularity, overlap and recall that are computed over such lists are off.",
    "Popularity within the file (users_here) is that of the sample, not that of the service.",
)
_HASHED = "test if the first 32 bits of SHA-1 of 'SEED:USER:TRACK', as a fraction of 2^32, are below the share; {ids}"
_LAST = (
    "test: the newest of each user by user_list_rank, ties by the smaller track id; users with no more than that many, "
    "or with fewer that have a rank, are all train, as is everything without a rank"
)
_FRAMES = (
    "Tracks for which people were chosen: seeds, and what a deeper level went around; in a file of a whole graph none. "
    "Whoever knows how the file was made guesses who likes them, so with a split they are left out unless asked for."
)
_WEIGHTS = (
    "users.chance is the probability with which a person was to be chosen: 1 where all who were listed were followed, "
    "n / N where n of N were drawn by lot; chance_unknown says why it is empty. Weights of 1 / chance give means and "
    "totals of those who were listed. censored lists were cut by a cap; claimed is how many likes the service said "
    "there are."
)
_NEIGHBOURS = (
    "Whoever has fewer than k tracks, and what has fewer than k users, is left out, again and again until nobody is "
    "left who has fewer: the k-core of users and tracks, each pair counted once. Playlists, stations and searches with "
    "fewer than k of what is left are left out as well, and owners of playlists who are neither among the users nor "
    "the artists of the items."
)
_PSEUDONYMS = (
    "Ids are the first 53 bits of HMAC-SHA256(key, 'user:ID'), likewise track, playlist and station. Names, titles, "
    "addresses and exact counts, lengths and days are left out, as are genres and tags of fewer than five uploaders, "
    "rough counts, kinds of playlists and services of links that fewer than five people share, and places in public "
    "lists of people. Rare combinations of likes can still tell who somebody is, and so can the "
    "order in which they stand in user_list_rank: hand it on to people you trust."
)


def manifest(job: Job, files: Iterable[OutFile], *, made_at: str, key: bytes) -> dict[str, Any]:
    """Put everything together that is known about an export."""
    connection, choices = job.selection.connection, job.choices
    return {
        "made_by": MAKER,
        "format_version": FORMAT_VERSION,
        "harvest_version": __version__,
        "made_at": made_at,
        "format": choices.format,
        "options": {
            "kind": list(choices.kinds),
            "complete_users_only": choices.complete_users_only,
            "min_users": choices.min_users,
            "min_items": choices.min_items,
            "kcore": choices.kcore,
            "k": choices.k,
            "include_incomplete": choices.include_incomplete,
            "lists": choices.lists,
            "texts": choices.texts,
            "frames": choices.frames,
            "without_frames": choices.drops_frames,
            **_graph_options(job),
        },
        "methods": methods(facts(connection), hide=choices.ids == "pseudonym"),
        "source": _source(connection, made_at, hide=choices.ids == "pseudonym"),
        "counts": _counts(job),
        "frames": {"tracks": job.selection.frames, "left_out": choices.drops_frames, "rule": _FRAMES},
        "weights": {"designs": designs(connection), "rule": _WEIGHTS},
        "neighbours": _neighbours(job),
        "lists": {"of these users": _lists_of_users(connection), "in the file": _lists(connection)},
        "changes": {"last_version": newest_version(connection)},
        "split": _split(job),
        "ids": _ids(job, key),
        "order": _ORDER,
        "biases": list(_BIASES),
        "left_out": job.selection.left_out,
        "attribution": ATTRIBUTION,
        "terms": RESTRICTIONS,
        "files": [described(job.folder, file) for file in files],
    }


def _graph_options(job: Job) -> dict[str, Any]:
    """Give what was asked of a graph, where anything was."""
    choices, ego = job.choices, job.selection.ego
    told: dict[str, Any] = {} if choices.graph == "all" else {"graph": choices.graph}
    if choices.graph in ("tracks", "people"):
        told |= {"backbone": choices.backbone, "level": choices.level}
    if ego:
        told |= {"ego": f"soundcloud:{ego[0]}s:{ego[1]}", "radius": choices.radius}
    return told


def _source(connection: sqlite3.Connection, made_at: str, *, hide: bool) -> dict[str, Any]:
    """Say where the data came from and when; without the seeds where they would tell who is in it."""
    addresses = [row[0] for row in connection.execute("SELECT DISTINCT api_url FROM runs ORDER BY api_url")]
    first, last = connection.execute("SELECT min(fetched_at), max(fetched_at) FROM pages").fetchone()
    (schema,) = connection.execute("PRAGMA harvest.user_version").fetchone()
    seeds = [public_address(row[0]) for row in connection.execute("SELECT address FROM seeds ORDER BY id")]
    return {
        "service": sorted({_service(address) for address in addresses}),
        "first_page_at": first,
        "last_page_at": last,
        "seeds": len(seeds) if hide else seeds,
        "crawl_running": holder_of(connection, datetime.fromisoformat(made_at)) is not None,
        "schema": schema,
    }


def _service(address: str) -> str:
    if address.startswith("simulator:"):
        return f"made up, by harvest's own simulator ({address})"
    host = urlsplit(address).hostname or address
    return "made up, by a server on the machine of the crawl" if host in ("127.0.0.1", "localhost", "::1") else host


def _counts(job: Job) -> dict[str, Any]:
    users, tracks, likes, reposts = job.selection.connection.execute(
        "SELECT users, tracks, likes, reposts FROM totals"
    ).fetchone()
    steps = []
    for step in job.selection.steps:
        told: dict[str, Any] = {"filter": step.filter, "users": step.users, "items": step.items}
        told["interactions"] = step.interactions
        steps.append(told if step.rounds is None else {**told, "rounds": step.rounds})
    return {
        "in the file": {"users": users, "tracks": tracks, "likes": likes, "reposts": reposts},
        "after each filter": steps,
        "interaction": "a user and a track, once, however many kinds join them",
    }


def _neighbours(job: Job) -> dict[str, Any] | None:
    """Give what --k has left out; None where it was not asked for."""
    k = job.choices.k
    if not k:
        return None
    before, after = job.selection.steps[-2:]
    lost = {"users_left_out": before.users - after.users, "items_left_out": before.items - after.items}
    return {"k": k, **lost, "rule": _NEIGHBOURS}


def _lists_of_users(connection: sqlite3.Connection) -> dict[str, int]:
    """Count the users that are left by how their list of likes ended."""
    rows = connection.execute(
        f"SELECT {LIKES_LIST}, count(*) FROM people AS p"  # noqa: S608 - our own words
        " LEFT JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = p.id WHERE p.n > 0"
        " GROUP BY 1 ORDER BY 1"
    )
    return dict(rows.fetchall())


def _lists(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Count the lists of the file by kind and outcome."""
    found: dict[str, dict[str, int]] = {}
    rows = connection.execute("SELECT kind, outcome, count(*) FROM lists GROUP BY 1, 2 ORDER BY 1, 2")
    for kind, outcome, n in rows:
        found.setdefault(kind, {})[outcome] = n
    return found


def _split(job: Job) -> dict[str, Any]:
    split = job.choices.split
    if split.how == "hash":
        ids = "ids as written here" if job.choices.ids == "pseudonym" else "SoundCloud's ids"
        return {"how": str(split), "seed": job.choices.seed, "rule": _HASHED.format(ids=ids)}
    if split.how == "none":
        return {"how": "none"}
    (users,) = job.selection.connection.execute("SELECT count(*) FROM people WHERE cut_rank IS NOT NULL").fetchone()
    return {"how": str(split), "rule": _LAST, "users_in_test": users}


def _ids(job: Job, key: bytes) -> dict[str, str]:
    if job.choices.ids == "pseudonym":
        return {"mode": "pseudonym", "key": key_name(key), "rule": _PSEUDONYMS}
    if job.choices.ids == "dense":
        return {"mode": "dense", "rule": "0, 1, 2, ... in the order of SoundCloud's ids; *_ids lead back"}
    return {"mode": "raw", "rule": "SoundCloud's own"}


def described(folder: Path, file: OutFile) -> dict[str, Any]:
    """Describe a file by what is on the disk, and see to it that it really is."""
    path = folder / file.path
    with path.open("rb") as written:
        os.fsync(written.fileno())
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    told: dict[str, Any] = {"path": file.path, "table": file.table, "rows": file.rows, "columns": list(file.columns)}
    return {**told, "bytes": path.stat().st_size, "sha256": digest}
