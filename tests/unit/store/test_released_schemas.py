"""What a release has shipped stays as it is: files made by it are told apart by the number of its last schema file."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

from harvest import __version__
from harvest.store.schema import schema_files, schema_version

HERE = Path(__file__).parent
RELEASED = json.loads((HERE / "released_schemas.json").read_text())
DICTIONARY = (HERE.parents[2] / "schema/README.md").read_text(encoding="utf-8")
CHANGELOG = (HERE.parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")


def digests():
    return {name: sha256(text.encode()).hexdigest() for name, text in schema_files()}


def test_no_schema_file_of_a_release_is_changed_or_gone():
    now = digests()
    for version, released in RELEASED.items():
        assert {name: now.get(name) for name in released} == released, (
            f"{version} has shipped these files: leave them, and add a numbered one (docs/releasing.md)"
        )


def test_the_version_we_are_at_ships_all_schema_files_there_are_or_is_not_released_yet():
    shipped = RELEASED.get(__version__)
    assert shipped in (None, digests()), "tables have changed since: raise the version in harvest/_version.py"


def test_the_dictionary_says_of_which_release_and_day_it_is():
    version, release, day = re.search(r"Schema (\d+), of harvest (\S+) \((\d{4}-\d{2}-\d{2})\)", DICTIONARY).groups()
    assert (int(version), release) == (schema_version(), __version__)
    assert f"\n## [{release}] - {day}\n" in CHANGELOG
