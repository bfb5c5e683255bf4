"""The address of a file is what Python gives, whatever its name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harvest.system.file_uris import uri_of


@pytest.mark.parametrize(
    "path",
    ["/a/b.db", "/with space/ü.db", "/a?mode=rwc#x/%41;b&c=d~.db", os.fsdecode(b"/not\xffutf8.db"), "/", "//a/b"],
)
def test_it_is_what_python_gives(path):
    assert uri_of(Path(path)) == Path(path).as_uri()
