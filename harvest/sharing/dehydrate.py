"""Write a harvest without its content into a folder: ids, ranks, weights, the ledger, as JSON Lines.

In: a file, a folder. Out: a file of JSON Lines per table, its columns in the first line, and a manifest. Never: a name,
a text, an address of a person or a thing; an id of a person, unless that is asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from harvest._version import __version__
from harvest.errors import SettingsError
from harvest.export.folder import MANIFEST, clear_away, staged
from harvest.export.pseudonyms import key_name, pseudonym, read_key
from harvest.forgetting import people_lists
from harvest.sharing.columns import FORMAT, held
from harvest.store.database import open_to_read, storage_errors
from harvest.store.handouts import remember
from harvest.store.schema import schema_version
from harvest.system.clock import SystemClock, as_text
from harvest.terms import RESTRICTIONS

WHY_PSEUDONYMS = (
    "ids of people are pseudonyms: what somebody likes is about them even as ids, and every id leads to their page. "
    "Whoever has the key and the list of people beside it can lead them back; --ids raw leaves them as they are"
)


class HandedOver(NamedTuple):
    """What was written: its manifest, and of pseudonyms where their key and the list of people are, which stay."""

    manifest: dict[str, Any]
    key: Path | None
    people: Path | None


def hand_over(path: Path, out: Path, *, ids: str, key_file: Path | None) -> HandedOver:
    """Write the folder `out`, with `pseudonym` ids of people under a key, the usual one unless one is named, or `raw`
    ones; and note in the file that it was made. Raises SettingsError, StoreError.
    """
    if ids not in ("pseudonym", "raw"):
        raise SettingsError(f"--ids is pseudonym or raw, not {ids!r}.")
    if ids == "raw" and key_file is not None:
        raise SettingsError("--key belongs to --ids pseudonym.")
    place = key_file or people_lists.usual_key()
    if ids == "pseudonym" and _real(place).is_relative_to(_real(out)):
        raise SettingsError(f"--key {place} would be handed on with {out}: keep it elsewhere.")
    key = read_key(place) if ids == "pseudonym" else None
    now = SystemClock().now()
    made = dehydrate(path, out, now=as_text(now), key=key)
    remember(path, "export", out, now=now, manifest=out / MANIFEST)
    if key is None:
        return HandedOver(made, None, None)
    people = people_lists.keep_people(place, people_of(path))
    remember(path, people_lists.HANDED_OUT, people, now=now)
    return HandedOver(made, place, people)


def _real(path: Path) -> Path:
    """Follow links as far as they lead; `resolve` gives up on those that lead round."""
    return Path(os.path.realpath(path))


def dehydrate(path: Path, out: Path, *, now: str, key: bytes | None) -> dict[str, Any]:
    """Write the folder `out` and give its manifest; with a key the ids of people are pseudonyms under it.

    Raises StoreError where the file cannot be read or the folder not be written.
    """
    clear_away(out)
    with staged(out, force=False) as folder:
        with storage_errors(path), open_to_read(path) as source:
            source.execute("BEGIN")  # all of it as it is at one moment
            made = _write(source, folder, now=now, key=key)
        (folder / MANIFEST).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    return made


def people_of(path: Path) -> list[int]:
    """Give the ids of all people in a file, rising: with the key they lead pseudonyms back."""
    with open_to_read(path) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM users ORDER BY id")]


def _write(source: sqlite3.Connection, folder: Path, *, now: str, key: bytes | None) -> dict[str, Any]:
    if key is not None:
        source.create_function(
            "pseudonym",
            2,
            lambda kind, number: None if number is None else pseudonym(key, kind, number),
            deterministic=True,
        )
        _check_apart(source)
    files = []
    for table in held(source, pseudonyms=key is not None):
        rows = source.execute(table.sql)
        target, n = folder / f"{table.name}.jsonl", 0
        with target.open("w", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(table.columns) + "\n")
            for row in rows:
                n += 1
                file.write(json.dumps(tuple(row), ensure_ascii=True) + "\n")
        with target.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        files.append({"path": target.name, "table": table.name, "rows": n, "sha256": digest})
    (api_url,) = source.execute("SELECT api_url FROM runs ORDER BY id DESC LIMIT 1").fetchone() or ("",)
    (world,) = source.execute("SELECT max(world) FROM runs").fetchone()
    return {
        "made_by": FORMAT,
        "harvest_version": __version__,
        "schema": schema_version(),
        "made_at": now,
        "api_url": api_url,
        "world": world,
        "ids": {"people": "raw"}
        if key is None
        else {"people": "pseudonym", "key": key_name(key), "why": WHY_PSEUDONYMS},
        "things": _things(source),
        "terms": RESTRICTIONS,
        "files": files,
    }


def _things(ids: sqlite3.Connection) -> dict[str, int]:
    tables = Counter[str]()
    for table in ("users", "tracks", "playlists", "stations"):
        (tables[table],) = ids.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own words
    return dict(tables)


def _check_apart(ids: sqlite3.Connection) -> None:
    """Raise SettingsError where two people share a pseudonym."""
    row = ids.execute("SELECT 1 FROM users GROUP BY pseudonym('user', id) HAVING count(*) > 1 LIMIT 1").fetchone()
    if row is not None:
        raise SettingsError("Two people have the same pseudonym under this key: name another file with --key.")
