"""Read the interactions of an export column by column: SQLite gives a row per person, whose lists become Arrow arrays.

In: what was chosen. Out: record batches in the order of the table, with the columns of `tables.interactions`. Never: a
Python tuple per like, which costs five times what SQLite takes to find it. Under pseudonyms, whose order is not that of
the file, and where rows are told apart for a split, the table itself is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import json

from harvest.export.selection import Selection
from harvest.export.tables import OUTCOME_OF_REPOSTS, WANTED_KINDS

if TYPE_CHECKING:
    import pyarrow

_ROWS_AT_ONCE = 250_000

# Along the primary key: the likes of a person come in the order of the tracks, likes before reposts.
PEOPLE = f"""
SELECT
    p.out, w.chance, w.outcome, {OUTCOME_OF_REPOSTS}, count(*),
    json_group_array(e.track_id), json_group_array(e.engagement_type = 'repost'),
    json_group_array(e.user_list_rank), json_group_array(e.track_list_rank)
FROM people AS p
CROSS JOIN weights AS w ON w.id = p.id
CROSS JOIN user_engagements AS e ON e.user_id = p.id
WHERE {WANTED_KINDS}
GROUP BY p.id
"""  # noqa: S608 - our own words
_THINGS = "SELECT json_group_array(id), json_group_array(out) FROM (SELECT id, out FROM things ORDER BY id)"
_decode = json.Decoder(list[int | None]).decode


def can_give(selection: Selection) -> bool:
    """Say whether the interactions can be read by columns."""
    return selection.choices.ids != "pseudonym" and selection.choices.split.how == "none"


def batches(selection: Selection, schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
    """Give the interactions that are left, some people at a time."""
    people: list[Any] = []
    rows = 0
    things = _things(selection)
    for person in selection.connection.execute(PEOPLE, selection.parameters):
        people.append(person)
        rows += person[4]
        if rows >= _ROWS_AT_ONCE:
            yield _batch(people, things, schema)
            people, rows = [], 0
    if people:
        yield _batch(people, things, schema)


def _things(selection: Selection) -> tuple[pyarrow.Array, pyarrow.Array] | None:
    """Give the tracks that are left, and their ids; None where all are, under ids of their own."""
    import pyarrow as pa

    if selection.choices.ids == "raw" and len(selection.steps) == 1:
        return None
    ids, outs = selection.connection.execute(_THINGS).fetchone()
    return pa.array(_decode(ids), pa.int64()), pa.array(_decode(outs), pa.int64())


def _batch(
    people: Sequence[Any], things: tuple[pyarrow.Array, pyarrow.Array] | None, schema: pyarrow.Schema
) -> pyarrow.RecordBatch:
    import pyarrow as pa
    from pyarrow import compute as pc

    outs, chances, likes_ended, reposts_ended, _, *lists = zip(*people, strict=True)
    tracks, reposted, user_ranks, track_ranks = (
        pa.array([_decode(text) for text in texts], pa.list_(pa.int64())) for texts in lists
    )
    whose = pc.list_parent_indices(tracks)
    is_repost = pc.cast(reposted.flatten(), pa.int8())
    names = sorted({name for name in (*likes_ended, *reposts_ended) if name is not None})
    places = {None: None, **{name: place for place, name in enumerate(names)}}
    of_likes, of_reposts = (
        pa.array([places[name] for name in ended], pa.int8()).take(whose) for ended in (likes_ended, reposts_ended)
    )
    ended = pc.if_else(pc.equal(is_repost, 1), of_reposts, of_likes)
    capped = pc.fill_null(pc.equal(ended, places.get("capped", -1)), False)
    items = tracks.flatten()
    columns = [
        pa.array(outs, pa.int64()).take(whose),
        items,
        pa.DictionaryArray.from_arrays(is_repost, pa.array(["like", "repost"])),
        pa.repeat(pa.scalar(1.0, pa.float32()), len(items)),
        user_ranks.flatten().cast(pa.int32()),
        track_ranks.flatten().cast(pa.int32()),
        pa.array(chances, pa.float64()).take(whose),
        pa.DictionaryArray.from_arrays(ended, pa.array(names, pa.string())),
        capped,
    ]
    if things is None:
        return pa.RecordBatch.from_arrays(columns, schema=schema)
    place = pc.index_in(items, value_set=things[0])
    columns[1] = things[1].take(place)
    return pa.RecordBatch.from_arrays(columns, schema=schema).filter(pc.is_valid(place))
