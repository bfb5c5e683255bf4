"""Lists of tracks for players, read back as whoever knows the formats reads them."""

from __future__ import annotations

import csv
import json
import re

import pytest

import harvest
from harvest.errors import QueryError, SettingsError
from tests.analysing import LikesFile
from tests.foreign import ROOT
from tests.foreign import run as run_in

ODD = 'Line\nbreak, #EXTINF:1,x "é" 中'
# track: (artist, title, address, milliseconds)
TRACKS = {
    10: ("Nova", "Drift", "https://soundcloud.com/nova/drift", 213_400),
    11: ("Nova", ODD, "https://soundcloud.com/nova/odd", None),
    12: (None, None, None, 1_499),
}
M3U = [
    ("213", "Nova - Drift", "https://soundcloud.com/nova/drift"),
    ("-1", "Nova - Line break, #EXTINF:1,x 'é' 中", "https://soundcloud.com/nova/odd"),
    ("1", "track 12", "https://api.soundcloud.com/tracks/12"),
]
JSPF = [
    ("Nova", "Drift", ["https://soundcloud.com/nova/drift"], ["soundcloud:tracks:10"], 213_400),
    ("Nova", ODD, ["https://soundcloud.com/nova/odd"], ["soundcloud:tracks:11"], None),
    (None, None, ["https://api.soundcloud.com/tracks/12"], ["soundcloud:tracks:12"], 1_499),
]


@pytest.fixture
def path(tmp_path):
    with LikesFile(tmp_path / "t.db") as file:
        for user in range(1, 5):
            file.likes(user, [*TRACKS, 13])
        file.name(5, "Nova")
        for track, (artist, title, address, length) in TRACKS.items():
            file.write(
                [
                    (
                        "UPDATE tracks SET title = ?, permalink_url = ?, duration_ms = ?, uploader_id = ? WHERE id = ?",
                        (title, address, length, 5 if artist else None, track),
                    )
                ]
            )
    return file.path


def m3u(path):
    """Take an extended M3U apart by its lines."""
    first, title, *lines = path.read_text("utf-8").split("\n")
    assert (first, title[:10], lines.pop()) == ("#EXTM3U", "#PLAYLIST:", "")
    told = [re.fullmatch(r"#EXTINF:(-?\d+),(.*)", line).groups() for line in lines[::2]]
    return [(*one, address) for one, address in zip(told, lines[1::2], strict=True)]


def jspf(path):
    """Take a JSPF apart by its keys."""
    tracks = json.loads(path.read_text("utf-8"))["playlist"]["track"]
    assert [one["trackNum"] for one in tracks] == list(range(1, len(tracks) + 1))
    keys = ("creator", "title", "location", "identifier", "duration")
    return [tuple(map(one.get, keys)) for one in tracks]


def test_the_tracks_of_a_query_are_saved_in_its_order(run, path, tmp_path):
    asked = "SELECT id AS track_id FROM tracks WHERE id < 13 UNION ALL SELECT 99 UNION ALL SELECT NULL"
    done = run("sql", asked, "--db", path, "--to", "all.m3u")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "3 tracks saved in all.m3u.\n")
    assert m3u(tmp_path / "all.m3u") == M3U
    assert run("sql", "SELECT urn FROM tracks WHERE id < 13 ORDER BY 1", "--db", path, "-o", "all.jspf").returncode == 0
    assert jspf(tmp_path / "all.jspf") == JSPF
    assert harvest.open(path).query("SELECT what, path FROM handouts").first() == (
        "playlist",
        str(tmp_path / "all.m3u"),
    )


def test_what_is_near_is_saved_and_told(run, path, tmp_path):
    near = run("related", "13", "--db", path, "--to", "near.m3u")
    assert "4 people like both" in near.stdout
    assert m3u(tmp_path / "near.m3u") == M3U
    assert json.loads(run("radio", "13", "--db", path, "--json", "--to", "next.jspf").stdout)["given"] == [13]
    assert jspf(tmp_path / "next.jspf") == [JSPF[0], JSPF[2]]  # one of an artist


def test_python_saves_what_the_radio_plays(path, tmp_path):
    db = harvest.open(path)
    assert db.save_playlist(tmp_path / "x.m3u", db.radio(13, per_artist=0).tracks, title="x") == 3
    assert m3u(tmp_path / "x.m3u") == M3U
    for _ in range(2):  # an earlier one is replaced
        assert db.save_playlist(tmp_path / "x.csv", [11, 10, 12]) == 3
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        assert [tuple(row.values()) for row in csv.DictReader(file)] == [
            ("11", ODD, "Nova", "https://soundcloud.com/nova/odd", ""),
            ("10", "Drift", "Nova", "https://soundcloud.com/nova/drift", "213400"),
            ("12", "", "", "https://api.soundcloud.com/tracks/12", "1499"),
        ]
    assert db.query("SELECT what, path FROM handouts").first() == ("playlist", str(tmp_path / "x.m3u"))
    for near in (db.sql("SELECT title, id AS Track_Id FROM tracks WHERE id < 13"), db.related(13).near, db.tracks[:3]):
        assert db.save_playlist(tmp_path / "near.jspf", near) == 3
        assert jspf(tmp_path / "near.jspf") == JSPF
    with pytest.raises(QueryError, match="A playlist is made of a column track_id"):
        db.save_playlist(tmp_path / "y.m3u", db.sql("top-genres"))
    with pytest.raises(SettingsError, match=r"ends in \.m3u, \.m3u8, \.jspf, \.csv; x\.pls does not"):
        db.save_playlist(tmp_path / "x.pls", [10])


@pytest.mark.parametrize(
    ("asked", "target", "line", "code"),
    [
        (
            "SELECT 10 AS track_id",
            "x.txt",
            "The name of a playlist ends in .m3u, .m3u8, .jspf, .csv; x.txt does not.",
            2,
        ),
        ("SELECT 10 AS track_id", "mine.m3u", "mine.m3u exists and is no playlist: name another file.", 4),
        ("SELECT id FROM tracks", "x.m3u", "A playlist is made of a column track_id", 2),
    ],
)
def test_what_cannot_be_saved_costs_one_line_and_nothing_else(run, path, tmp_path, asked, target, line, code):
    (tmp_path / "mine.m3u").write_text("my diary")
    done = run("sql", asked, "--db", path, "--to", target)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert line in done.stderr
    assert (tmp_path / "mine.m3u").read_text() == "my diary"
    assert sorted(one.name for one in tmp_path.iterdir() if "m3u" in one.name) == ["mine.m3u"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_parser_of_others_reads_the_same(path, tmp_path):
    assert harvest.open(path).save_playlist(tmp_path / "x.m3u", TRACKS, title="Three tracks") == 3
    done = run_in("playlists", ROOT / "tests" / "readers" / "with_playlists.py", tmp_path)
    assert json.loads(done.stdout) == [[name, int(seconds), address] for seconds, name, address in M3U], done.stderr
