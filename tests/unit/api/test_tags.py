"""How a tag list is split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.api.tags import parse_tags


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (None, ()),
        ("", ()),
        ("   ", ()),
        ("techno house", ("techno", "house")),
        (" Jazz", ("Jazz",)),
        ("soundcloud:source=iphone-record ", ("soundcloud:source=iphone-record",)),
        ('Melodic "Deep  House"  Hamburg', ("Melodic", "Deep House", "Hamburg")),
        ('"a" "a" a', ("a",)),
        ('"geo:place=New York" geo:lat=52.5', ("geo:place=New York", "geo:lat=52.5")),
        ('geo:place="New York" x', ("geo:place=New York", "x")),
        ('techno "deep house', ("techno", "deep house")),
        ('"', ()),
        ('""', ()),
        ('6" vinyl', ("6", "vinyl")),
        ("Été\u00a0bleu", ("Été", "bleu")),
    ],
)
def test_tags_are_split_as_the_service_means_them(text, tags):
    assert parse_tags(text) == tags


def test_a_quoted_tag_is_one_tag_not_three():
    """The predecessor split on blanks and made three wrong tags of two."""
    assert parse_tags('"deep house" techno') == ("deep house", "techno")


@given(st.text())
def test_any_text_gives_clean_distinct_tags(text):
    tags = parse_tags(text)
    assert len(set(tags)) == len(tags)
    assert all(tag and '"' not in tag and tag == " ".join(tag.split()) for tag in tags)


@given(st.lists(st.text(st.characters(exclude_characters='"='), min_size=1).map(str.split).map(" ".join).filter(bool)))
def test_quoting_every_tag_gives_them_back(tags):
    assert parse_tags(" ".join(f'"{tag}"' for tag in tags)) == tuple(dict.fromkeys(tags))
