"""The stream of changes as a table: what came, went and why, in the order in which it was seen, under the export's ids.

A change leaves where all people and things it names do. Names that people gave themselves leave only where what
people wrote does, titles where titles do. Under pseudonyms counts of tracks are made rough and those of people stay
behind; the orders of playlists are lists of ids, and leave only where ids are SoundCloud's.
"""

from __future__ import annotations

from harvest.export.selection import Selection
from harvest.export.tables import Column, Table

# Table of the file → what it is called in an export, and which of its keys are what.
_TABLES = {
    "user_engagements": ("interactions", {"user": "user_id", "item": "track_id"}),
    "user_follows": ("follows", {"user": "follower_id", "target": "followee_id"}),
    "tracks": ("items", {"user": "uploader_id", "item": "id"}),
    "users": ("users", {"user": "id"}),
    "playlists": ("playlists", {"user": "owner_id", "playlist": "id"}),
    "playlist_tracks": ("playlist_items", {"playlist": "playlist_id", "item": "track_id"}),
    "playlist_engagements": ("playlist_engagements", {"user": "user_id", "playlist": "playlist_id"}),
    "stations": ("stations", {"station": "id"}),
    "station_tracks": ("station_items", {"station": "station_id", "item": "track_id"}),
    "station_likes": ("station_likes", {"user": "user_id", "station": "station_id"}),
    "related_tracks": ("item_item", {"item": "track_id", "target_item": "related_track_id"}),
    "comments": ("comments", {"item": "track_id", "user": "user_id"}),
    "web_profiles": ("web_profiles", {"user": "user_id"}),
}
_WITHOUT_LISTS = ("user_engagements", "tracks", "users")
# What a key is called outside, and where the ids stand that leave.
_ENDS = {
    "user": "accounts", "target": "accounts", "item": "things", "target_item": "things", "playlist": "collections",
    "station": "channels",
}  # fmt: skip
# How a person's counts moved could be looked up in any history of counts.
_ROUGH = """iif(c."table" = 'users', NULL,
    (SELECT json_group_object(j.key, about(j.value)) FROM json_each(c.{value}) AS j)
)"""


def changes(selection: Selection) -> Table:
    """Give the stream, as the choices have it. What searches find is no part of it."""
    choices = selection.choices
    exact = choices.ids != "pseudonym"
    columns = {
        Column("version", "int64"): "c.version",
        Column("seen_at", "time"): "c.at",
        Column("what", "text"): "c.what",
        Column("table", "text"): _case({table: f"'{name}'" for table, (name, _) in _TABLES.items()}),
        **{Column(f"{end}_id", "int64"): f"{end}.out" for end in _ENDS},
        Column("kind", "text"): "c.kind",
        Column("old", "text"): _told(selection, "old"),
        Column("new", "text"): _told(selection, "new"),
        Column("reason", "text"): "c.reason",
    }
    joins = [f"LEFT JOIN {left} AS {end} ON {end}.id = c.{end}_id" for end, left in _ENDS.items()]
    named = [f"(c.{end}_id IS NULL OR {end}.{'id' if exact else 'out'} IS NOT NULL)" for end in _ENDS]
    keys = ", ".join(f"{_case(_keys(end))} AS {end}_id" for end in _ENDS)
    tables = ", ".join(f"'{table}'" for table in (_TABLES if choices.lists else _WITHOUT_LISTS))
    kinds = ", ".join(f"'{kind}'" for kind in choices.kinds)
    return Table(
        "changes",
        tuple(columns),
        f"""
        SELECT {", ".join(columns.values())}
        FROM (
            SELECT c.*, c.ids ->> 'engagement_type' AS kind, {keys} FROM changes AS c WHERE c."table" IN ({tables})
        ) AS c
        {" ".join(joins)}
        WHERE {" AND ".join(named)} AND c.what <> 'forgotten'
            AND (c."table" <> 'user_engagements' OR c.kind IN ({kinds}))
        ORDER BY c.version
        """,  # noqa: S608 - our own words
    )


def names_left_out(selection: Selection) -> list[str]:
    """Say what of changes stays behind, as far as there is any."""
    said = {row[0] for row in selection.connection.execute("SELECT DISTINCT what FROM changes")}
    lost = []
    if "renamed" in said and not selection.choices.texts:
        lost.append("names of people")
    if "retitled" in said and selection.choices.ids == "pseudonym":
        lost.append("titles")
    if "moved" in said and selection.choices.ids == "pseudonym":
        lost.append("counts of people")
    if "edited" in said and selection.choices.ids != "raw":
        lost.append("orders of playlists")
    return [f"left out of changes, in old and new: {', '.join(lost)}"] if lost else []


def _keys(end: str) -> dict[str, str]:
    return {table: f"c.ids ->> '{keys[end]}'" for table, (_, keys) in _TABLES.items() if end in keys}


def _case(values: dict[str, str], of: str = 'c."table"', other: str = "NULL") -> str:
    cases = " ".join(f"WHEN '{value}' THEN {sql}" for value, sql in values.items())
    return f"CASE {of} {cases} ELSE {other} END"


def _told(selection: Selection, value: str) -> str:
    """Write what leaves of what something was, or is now."""
    choices = selection.choices
    exact = choices.ids != "pseudonym"
    leaves = {
        "renamed": f"c.{value}" if choices.texts else "NULL",
        "retitled": f"c.{value}" if exact else "NULL",
        "edited": f"c.{value}" if choices.ids == "raw" else "NULL",
        "moved": f"c.{value}" if exact else _ROUGH.format(value=value),
    }
    return _case(leaves, "c.what", f"c.{value}")
