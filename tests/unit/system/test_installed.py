"""Packages that offer something to us are found by their files, as pip writes them, and none is imported."""

from __future__ import annotations

import sys
from importlib.metadata import distributions

import pytest

from harvest.system.installed import Package, packages

POINTS = """\
[console_scripts]
other = other:main

# of ours
[harvest]
mood = harvest_mood [extra]

[harvest.commands]
mood-set = harvest_mood.command:set
[harvesting]
no = no
"""


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Put the description of a package into a folder that Python looks into, the last one first."""

    def call(folder, name, points, about="Name: harvest-mood\nVersion: 1.2\nSummary: Moods: of tracks.\n\nName: no\n"):
        info = tmp_path / folder / name
        info.mkdir(parents=True)
        (info / "entry_points.txt").write_bytes(points.encode() if isinstance(points, str) else points)
        if about is not None:
            (info / ("PKG-INFO" if name.endswith(".egg-info") else "METADATA")).write_text(about)
        monkeypatch.syspath_prepend(str(tmp_path / folder))

    return call


@pytest.mark.parametrize("ending", ["dist-info", "egg-info"])
def test_entry_points_of_ours_are_found_with_what_the_package_says_of_itself(put, ending):
    put("a", f"harvest_mood-1.2.{ending}", POINTS)
    points = {"harvest": {"mood": "harvest_mood"}, "harvest.commands": {"mood-set": "harvest_mood.command:set"}}
    assert packages() == [Package("harvest-mood", "1.2", "Moods: of tracks.", points)]
    assert "harvest_mood" not in sys.modules


def test_the_first_of_two_installations_counts_and_a_variable_turns_all_off(put, monkeypatch):
    put("a", "harvest_mood-1.2.dist-info", POINTS)
    put("b", "harvest_mood-2.0.dist-info", POINTS, "Name: harvest-mood\nVersion: 2.0\n")
    put("b", "harvest_tempo-1.dist-info", "[harvest]\ntempo = tempo\n", "Name: harvest-tempo\nVersion: 1\n")
    assert [(one.name, one.version) for one in packages()] == [("harvest-mood", "2.0"), ("harvest-tempo", "1")]
    monkeypatch.setenv("HARVEST_PLUGINS", "0")
    assert packages() == []


@pytest.mark.parametrize(
    ("points", "about"),
    [
        ("[harvesting]\nno = no\n", ""),
        ("[harvest]\n", ""),
        (b"[harvest]\n\xff = x\n", ""),
        ("[harvest]\na = a\n", None),
    ],
)
def test_what_offers_nothing_or_cannot_be_read_is_none(put, points, about):
    put("a", "one-1.dist-info", points, about)
    assert packages() == []


def test_a_place_that_is_no_folder_is_passed_over(monkeypatch, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK")
    for place in ("a.zip", "nowhere"):
        monkeypatch.syspath_prepend(str(tmp_path / place))
    assert packages() == []


def test_it_finds_what_the_library_finds():
    ours = {one.metadata["Name"] for one in distributions() if any(e.group == "harvest" for e in one.entry_points)}
    assert {one.name for one in packages()} == ours
