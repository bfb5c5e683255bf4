"""Write RecBole's atomic files, NAME/NAME.inter and its companions, and a configuration that names their columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from harvest.export import tables
from harvest.export.escaping import field, word
from harvest.export.job import Job, OutFile, converted
from harvest.export.rows import Lines, csv_of
from harvest.export.tables import Row, Table

_HEADS = {
    "user_id": "user_id:token",
    "item_id": "item_id:token",
    "source_id": "source_id:token",
    "target_id": "target_id:token",
    "rating": "rating:float",
    "order": "list_order:float",
    "title": "title:token_seq",
    "artist_id": "artist_id:token",
    "genre": "genre:token",
    "tags": "tags:token_seq",
    "duration_ms": "duration_ms:float",
    "followers_count": "followers_count:float",
    "chance": "chance:float",
}
_SAFE: dict[str, Callable[[Any], str]] = {
    "text": field,
    "list": lambda text: " ".join(filter(None, map(word, json.loads(text)))),
}

_CONFIGURATION = """\
# For RecBole: config_file_list=['{name}/{name}.yaml'], with data_path set to the folder that holds {name}/.
# list_order is an order and no time: SoundCloud tells no times of likes. It is the negated place in the user's own
# list, so larger is newer; it compares likes of one user, and nothing across users.
USER_ID_FIELD: user_id
ITEM_ID_FIELD: item_id
RATING_FIELD: rating
TIME_FIELD: list_order
load_col:
    inter: [user_id, item_id, rating, list_order]
{benchmark}"""
_BENCHMARK = """\
# There is no part for validation: the test part stands in for it. Tune on a split of your own.
benchmark_filename: [train, test, test]
"""


def write(job: Job) -> list[OutFile]:
    """Write interactions, tracks and users, and follows where they are known."""
    (job.folder / job.name).mkdir()
    table = tables.pairs(job.selection, unknown=tables.oldest_order(job.selection))
    files = job.write(table, lambda name: _lines(job, table, name, "inter"))
    others = {"item": tables.items(job.selection), "user": tables.users(job.selection)}
    if tables.has_rows(job.selection, followers := tables.follows(job.selection)):
        others["net"] = followers
    for ending, other in others.items():
        files += job.write(other, lambda name, t=other, e=ending: _lines(job, t, name, e))  # type: ignore[misc]
    for mapping in tables.maps(job.selection):
        files += csv_of(job, mapping)
    return [*files, _configure(job)]


def _lines(job: Job, table: Table, name: str, ending: str) -> _Atomic:
    part = f"{name}." if name in ("train", "test") else ""
    return _Atomic(job, table, name, f"{job.name}/{job.name}.{part}{ending}")


class _Atomic(Lines):
    """A table as one atomic file: the columns it has a place for, and text made harmless, as no quoting is known."""

    def __init__(self, job: Job, table: Table, name: str, path: str) -> None:
        self._places = [place for place, column in enumerate(table.columns) if column.name in _HEADS]
        self._some = len(self._places) < len(table.columns)
        kept = replace(table, columns=tuple(table.columns[place] for place in self._places))
        header = [_HEADS[column.name] for column in kept.columns]
        super().__init__(job, kept, name, path, header=header, delimiter="\t")

    def write(self, rows: Sequence[Row]) -> None:
        """Take some rows."""
        if self._some:
            rows = [tuple(row[place] for place in self._places) for row in rows]
        self._writer.writerows(converted(rows, self._table.columns, _SAFE))
        self._rows += len(rows)


def _configure(job: Job) -> OutFile:
    path = f"{job.name}/{job.name}.yaml"
    benchmark = _BENCHMARK if len(job.choices.parts) > 1 else ""
    (job.folder / path).write_text(_CONFIGURATION.format(name=job.name, benchmark=benchmark), encoding="utf-8")
    return OutFile(path, "configuration", 0, ())
