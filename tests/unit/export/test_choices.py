"""What may be chosen for an export."""

from __future__ import annotations

import pytest

from harvest.errors import SettingsError
from harvest.export.choices import ExportChoices, Split, check, parse_kinds, parse_split


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("none", Split()),
        ("hash:0.2", Split("hash", share=0.2)),
        ("last:1", Split("last", newest=1)),
        (" last:20 ", Split("last", newest=20)),
    ],
)
def test_a_split_is_read_and_said_the_same_way(text, split):
    assert parse_split(text) == split
    assert str(split) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hash",
        "hash:",
        "hash:0",
        "hash:1",
        "hash:1.5",
        "hash:x",
        "hash:nan",
        "last",
        "last:0",
        "last:-1",
        "last:1.5",
        "time:0.9",
        "None",
    ],
)
def test_another_split_is_refused(text):
    with pytest.raises(SettingsError, match=r"hash:0\.2.*last:1"):
        parse_split(text)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [("like", ("like",)), ("repost", ("repost",)), ("repost,like", ("like", "repost")), ("like, like", ("like",))],
)
def test_kinds_are_read_in_their_own_order(text, kinds):
    assert parse_kinds(text) == kinds


@pytest.mark.parametrize("text", ["", "likes", "like,follow", "like;repost"])
def test_another_kind_is_refused(text):
    with pytest.raises(SettingsError, match="--kind"):
        parse_kinds(text)


@pytest.mark.parametrize(
    "choices",
    [
        ExportChoices(kinds=("like", "repost"), split=Split("last", newest=1)),
        ExportChoices(format="gexf", split=Split("hash", share=0.2)),
        ExportChoices(format="graphml", split=Split("last", newest=1)),
        ExportChoices(format="csr", ids="dense"),
    ],
)
def test_what_does_not_go_together_is_refused(choices):
    with pytest.raises(SettingsError):
        check(choices)


def test_what_goes_together_passes():
    check(ExportChoices(kinds=("like", "repost"), split=Split("hash", share=0.2), ids="pseudonym", format="csr"))
