"""A file or a folder appears whole, or not at all."""

from __future__ import annotations

import pytest

from harvest.system.files import beside


def test_what_was_renamed_stays_and_nothing_else(tmp_path):
    with beside(tmp_path / "new" / "page [1].html") as part:
        part.write_text("whole")
        part.with_name(f"{part.name}-wal").write_text("of SQLite")
        part.replace(tmp_path / "new" / "page [1].html")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["page [1].html"]


@pytest.mark.parametrize("make", ["write_bytes", "mkdir"])
def test_after_an_error_there_is_nothing_and_what_was_there_stays(tmp_path, make):
    (tmp_path / "mine").write_text("mine")

    def fail(target):
        with beside(target) as part:
            getattr(part, make)(*[b"half"] if make == "write_bytes" else [])
            raise KeyboardInterrupt

    for target in (tmp_path / "mine", tmp_path / "new" / "deeper" / "mine"):
        with pytest.raises(KeyboardInterrupt):
            fail(target)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("mine", "mine")]


def test_folders_that_somebody_else_uses_by_now_stay(tmp_path):
    def fail():
        with beside(tmp_path / "new" / "mine"):
            (tmp_path / "new" / "theirs").write_text("theirs")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["theirs"]
