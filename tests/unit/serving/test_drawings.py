"""Pictures of answers: as large as the numbers they stand for, and with words for who does not see them."""

from __future__ import annotations

from harvest.serving.drawings import drawn
from harvest.serving.markdown import inline, paragraphs

OVERLAP = ("username", "other", "in_common", "likes", "other_likes")
DAYS = ("day", "kept", "kept_so_far")


def test_an_overlap_is_drawn_as_wide_as_it_is():
    picture = drawn("taste-overlap", OVERLAP, [("<b>", None, 10, 30, 70)])
    assert picture.told == "only <b>: 20, both: 10, only (no name): 60"
    assert [round(float(bar.get("width")) / 1000, 2) for bar in picture.drawing.shapes] == [0.22, 0.11, 0.66]


def test_days_are_as_high_as_what_they_brought():
    picture = drawn("growth-by-day", DAYS, [("2026-01-01", 100, 100), ("2026-01-02", 50, 150), ("2026-01-05", 0, 150)])
    bars = [shape for shape in picture.drawing.shapes if shape.tag == "rect"]
    assert [float(bar.get("height")) for bar in bars] == [180.0, 90.0, 0.0]
    (line,) = [shape for shape in picture.drawing.shapes if shape.tag == "polyline"]
    assert [float(point.split(",")[1]) for point in line.get("points").split()] == [60.0, 0.0, 0.0]
    assert picture.told == ("3 days from 2026-01-01 to 2026-01-05; at most 100 entries on one day, 150 in all.")


def test_what_is_empty_or_better_read_is_not_drawn():
    assert drawn("growth-by-day", DAYS, []) is None
    assert drawn("growth-by-day", DAYS, [("2026-01-01", 0, 0)]) is None
    assert drawn("taste-overlap", OVERLAP, [("a", "b", 0, 0, 0)]) is None
    assert drawn("co-likes", ("track_id",), [(1,)]) is None


def test_markdown_becomes_html_and_html_stays_text():
    assert inline("`a_b` is *so*; see [docs](../docs/sql.md#x) and [it](https://datasette.io)") == (
        '<code>a_b</code> is <em>so</em>; see docs and <a href="https://datasette.io">it</a>'
    )
    assert inline("<script>x</script> [a](javascript:x)") == "&lt;script&gt;x&lt;/script&gt; a"
    assert paragraphs("one *\n\ntwo") == "<p>one *</p>\n<p>two</p>\n"
