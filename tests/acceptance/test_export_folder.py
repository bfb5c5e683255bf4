"""The folder of an export: whole or not there, replaced only when it is ours; and what the command says."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
import sys

import pytest

from harvest.cli.main import main as run_here
from harvest.errors import StorageFailed, how_to_install
from harvest.export.choices import FORMATS, PLAYERS
from harvest.export.folder import leaving_errors
from tests.acceptance.conftest import environment
from tests.exporting import Expected, leave, rich_file
from tests.repetitions import each_once, slow_but
from tests.waiting import PATIENCE, until

WHOLE = [name for name in FORMATS if name not in PLAYERS]  # formats of interactions


@pytest.fixture(scope="module")
def harvest(tmp_path_factory):
    """A file with something of everything."""
    return rich_file(tmp_path_factory.mktemp("rich") / "t.db")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def main(*arguments):
    """Run the command line in this process; give its exit code."""
    with pytest.raises(SystemExit) as ended:
        run_here([str(argument) for argument in arguments])
    return ended.value.code


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_command_tells_what_it_wrote_and_what_each_filter_left(run, harvest, tmp_path):
    done = run("export", "out/first", "--db", harvest, "--format", "csv", "--complete-users-only", "--kcore", "2")
    assert done.returncode == 0, done.stderr
    expected = Expected(harvest, complete=True, kcore=2)
    all_of_them, whole, core = expected.steps
    left = f"{core['interactions']} interactions of {core['users']} users with {core['items']} tracks"
    assert done.stdout.splitlines()[0] == f"out/first: {left}, as csv."
    for before, step in ((all_of_them, whole), (whole, core)):
        lost = {what: before[what] - step[what] for what in ("users", "items", "interactions")}
        said = f"  {step['filter']}: left out {lost['users']} users, {lost['items']} tracks, "
        assert f"{said}{lost['interactions']} interactions" in done.stdout.splitlines()
    manifest = json.loads((tmp_path / "out" / "first" / "manifest.json").read_text("utf-8"))
    for file in manifest["files"]:
        told = [file["path"], f"{file['rows']:,}"] if file["columns"] else [file["path"], f"{file['bytes'] / 1e6:,.2f}"]
        assert any(line.split()[:2] == told for line in done.stdout.splitlines())
    (note,) = done.stderr.splitlines()
    assert note.startswith("Note: left out of item_item")


def test_every_option_reaches_the_export(run, harvest, tmp_path):
    done = run("export", "out", "--db", harvest, "--format", "recbole", "--kind", "repost,like", "--min-users", "2",
               "--min-items", "3", "--split", "hash:0.3", "--seed", "5", "--ids", "pseudonym", "--key", "private.key",
               "--include-incomplete", "--frames", "seeds")  # fmt: skip
    assert done.returncode == 0, done.stderr
    by_hand = leave(harvest, tmp_path / "same" / "out", format="recbole", kinds=("like", "repost"), min_users=2,
                    min_items=3, split="hash:0.3", seed=5, ids="pseudonym", key_file=tmp_path / "private.key",
                    include_incomplete=True, frames="seeds", without_frames=None)  # fmt: skip
    found = contents(tmp_path / "out")
    written = json.loads(found.pop("manifest.json"))
    expected = contents(tmp_path / "same" / "out")
    expected.pop("manifest.json")
    assert found == expected
    assert {**written, "made_at": None} == {**by_hand, "made_at": None}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--split", "half"), 2, "--split is none"),
        (("--kind", "love"), 2, "--kind is like"),
        (("--kcore", "0"), 2, "--kcore"),
        (("--kcore", "500"), 2, "Nothing is left to export"),
        (("--kind", "like,repost", "--split", "last:1"), 2, "one kind"),
        (("--ids", "pseudonym"), 2, "--key FILE"),
        (("--key", "k"), 2, "--key belongs to --ids pseudonym"),
        (("--ids", "pseudonym", "--key", "out/k"), 2, "keep it elsewhere"),
        (("--format", "csr", "--ids", "dense"), 2, "user_ids.npy"),
        (("--db", "nowhere.db"), 4, "There is no file nowhere.db"),
    ],
)
def test_what_cannot_be_is_one_clear_line_and_leaves_nothing(harvest, here, capfd, arguments, code, said):
    assert main("export", "out", "--db", harvest, *arguments) == code
    out, err = capfd.readouterr()
    assert said in err
    assert "Traceback" not in err
    assert out == ""
    assert list(here.iterdir()) == []


LIBRARIES = [("parquet", "pyarrow", "arrow"), ("hf", "pyarrow", "arrow"), ("csr", "scipy", "analysis")]


@pytest.mark.parametrize(("format_name", "package", "extra"), LIBRARIES)
def test_a_missing_library_is_named_with_the_extra(harvest, here, capfd, monkeypatch, format_name, package, extra):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    assert main("export", "out", "--db", harvest, "--format", format_name) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"harvest: harvest export --format {format_name} needs {package}")
    assert line.endswith(f": {how_to_install(extra)}")


def test_other_formats_need_no_library(harvest, tmp_path):
    names = [name for name in FORMATS if name not in ("parquet", "hf", "csr")]
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['pyarrow', 'scipy', 'numpy']))\n"
        "from harvest.cli.main import Environment, _run\n"
        f"asked = [['export', name, '--db', {str(harvest)!r}, '--format', name] for name in {names}]\n"
        "codes = [_run(one, Environment.here()) for one in asked]\n"
        "sys.exit(any(codes))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


# --- what is there already -------------------------------------------------------------------------------------------


def test_an_earlier_export_is_replaced_only_when_told_to(harvest, tmp_path):
    leave(harvest, tmp_path / "out", format="csv")
    before = contents(tmp_path / "out")
    with pytest.raises(StorageFailed, match="--force"):
        leave(harvest, tmp_path / "out", format="jsonl")
    assert contents(tmp_path / "out") == before
    leave(harvest, tmp_path / "out", format="jsonl", force=True)
    descriptions = {"manifest.json", "croissant.json", "ro-crate-metadata.json"}
    assert set(contents(tmp_path / "out")) & set(before) == descriptions
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_as_good_as_none(harvest, tmp_path):
    (tmp_path / "out").mkdir()
    leave(harvest, tmp_path / "out", format="csv")
    assert (tmp_path / "out" / "interactions.csv").exists()


@pytest.mark.parametrize("manifest", [None, "{}", "[]", "no json", '{"made_by": "me", "files": []}'])
def test_a_folder_of_somebody_else_is_never_touched(harvest, tmp_path, manifest):
    place = tmp_path / "out"
    place.mkdir()
    (place / "thesis.txt").write_text("mine")
    if manifest is not None:
        (place / "manifest.json").write_text(manifest)
    before = contents(place)
    with pytest.raises(StorageFailed, match="holds something else"):
        leave(harvest, place, format="csv", force=True)
    assert contents(place) == before


def test_an_earlier_export_with_something_else_in_it_is_not_replaced(harvest, tmp_path):
    leave(harvest, tmp_path / "out", format="csv")
    (tmp_path / "out" / "notes").mkdir()
    (tmp_path / "out" / "notes" / "thesis.txt").write_text("mine")
    before = contents(tmp_path / "out")
    with pytest.raises(StorageFailed, match=r"holds notes/thesis\.txt"):
        leave(harvest, tmp_path / "out", format="csv", force=True)
    assert contents(tmp_path / "out") == before


def test_a_file_or_a_link_is_not_replaced(harvest, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("file", "link"):
        with pytest.raises(StorageFailed, match="no folder"):
            leave(harvest, tmp_path / name, format="csv", force=True)
    assert (tmp_path / "file").read_text() == "mine"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_that_turns_up_meanwhile_is_not_replaced(harvest, tmp_path):
    def put_something_there(what, done, total):
        if what == "describing":
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "thesis.txt").write_text("mine")

    with pytest.raises(StorageFailed, match="holds something else"):
        leave(harvest, tmp_path / "out", format="csv", tell=put_something_there)
    assert contents(tmp_path) == {"out/thesis.txt": b"mine"}


# --- whole or not there ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format_name", "moment"), each_once(WHOLE, ["choosing", "writing interactions", "describing"])
)
def test_an_export_that_breaks_off_leaves_nothing_and_keeps_what_was_there(harvest, tmp_path, format_name, moment):
    leave(harvest, tmp_path / "out", format="csv")
    before = contents(tmp_path)

    def stop(what, done, total):
        if what == moment:
            raise KeyboardInterrupt

    for target in ("out", "deep/down/new"):
        with pytest.raises(KeyboardInterrupt):
            leave(harvest, tmp_path / target, format=format_name, force=True, tell=stop)
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_nothing_of_that_name_is_seen_before_it_is_whole(harvest, tmp_path):
    seen = []
    leave(harvest, tmp_path / "out", tell=lambda *_: seen.append((tmp_path / "out").exists()))
    assert set(seen) == {False}
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o777 & ~current_umask()


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 250 kB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("making a small disk needs root")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=250k", "tmpfs", place], check=False, capture_output=True)
    if done.returncode:
        pytest.skip(f"no small disk to be had here: {done.stderr.decode()}")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.fixture(scope="module")
def longer(harvest, tmp_path_factory):
    """The same with 300 people more, who like everything, in an order that cannot be compressed."""
    path = tmp_path_factory.mktemp("longer") / "t.db"
    shutil.copy(harvest, path)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300)"
            " INSERT INTO users (id, seen_as, first_seen_at, last_seen_on)"
            " SELECT n, 'list', '2026-01-01T00:00:00Z', '' FROM s"
        )
        connection.execute(
            "INSERT INTO user_engagements SELECT u.id, t.id, 'like', abs(random()) % 2147483647, NULL, 1"
            " FROM users u, tracks t WHERE u.id <= 300"
        )
    connection.close()
    return path


@pytest.mark.parametrize("format_name", slow_but([*WHOLE][::3], WHOLE))
def test_a_full_disk_is_said_and_leaves_nothing(longer, small_disk, format_name):
    with pytest.raises(StorageFailed, match=r"The disk is full: .*out could not be written"):
        leave(longer, small_disk / "new" / "out", format=format_name)
    assert list(small_disk.iterdir()) == []


def test_a_full_disk_is_one_clear_line(run, longer, small_disk):
    done = run("export", small_disk / "out", "--db", longer)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (4, "", 1)
    assert "The disk is full" in done.stderr


def test_a_disk_without_room_for_our_own_tables_says_the_same(longer, small_disk):
    (small_disk / "ballast").write_bytes(bytes(240_000))
    with pytest.raises(StorageFailed, match=r"The disk is full: .*out could not be written"):
        leave(longer, small_disk / "out")
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_a_place_that_may_not_be_written_is_one_clear_line(harvest, here, capfd):
    place = here / "place"
    if os.geteuid() == 0:
        place.write_text("")
    else:
        place.mkdir(mode=0o500)
    assert main("export", place / "out", "--db", harvest) == 4
    assert len(capfd.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("sign", ["", "interactions.jsonl"])
def test_ctrl_c_ends_it_and_leaves_nothing(start, longer, tmp_path, sign):
    """As soon as the hidden folder is there, or a file in it; once more if it was over before it could be told."""
    for _ in range(10):
        process = start("export", "out", "--db", longer, "--format", "jsonl", "--kcore", "2")
        until(lambda it=process: list(tmp_path.glob(f".out.*.part/{sign}")) or it.poll() is not None, every=0.001)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        if process.returncode:
            break
        shutil.rmtree(tmp_path / "out")
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


# Where tracebacks of SQLite's callbacks were switched on (datasette does that), Python warns.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_in_a_callback_of_sqlite_is_no_prohibition(tmp_path):
    def press(*_):
        raise KeyboardInterrupt

    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.set_authorizer(press)
        with pytest.raises(KeyboardInterrupt), leaving_errors(tmp_path):
            connection.execute("SELECT 1")


def test_a_terminal_is_told_how_far_it_is(harvest, tmp_path):
    """A timer that does not wait makes two seconds pass at once; without a terminal nothing is shown."""
    code = (
        "import sys, threading\n"
        "from harvest.cli.output import spinner\n"
        "now = staticmethod(lambda seconds, show: threading.Timer(0, show))\n"
        "spinner.threading = type('Now', (), {'Timer': now})\n"
        "from harvest.cli.main import main\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", code, "export", "out", "--db", str(harvest), "--format", "csv"]
    mine, theirs = pty.openpty()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=tmp_path,
        env={**environment(), "TERM": "xterm", "COLUMNS": "100"},
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                some = os.read(mine, 4096)
            except OSError:
                break
            if not some:
                break
            seen += some
        assert process.wait(timeout=PATIENCE) == 0
        assert process.stdout is not None
        out = process.stdout.read().decode()
    os.close(mine)
    assert re.search(r"choosing|writing \w+: [\d,]+ of [\d,]+|describing", seen.decode())
    assert "writing" not in out
    silent = subprocess.run(
        [*command, "--force"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert not re.search("choosing|writing|describing", silent.stdout + silent.stderr)


@pytest.mark.parametrize("forge", ["other text", "as long", "a link", "no mark", "longer by a byte"])
def test_a_forged_manifest_lets_nothing_be_replaced_that_no_export_wrote(harvest, tmp_path, forge):
    """It names a file as its own; what is in it only its maker knows."""
    out = tmp_path / "out"
    assert main("export", out, "--db", harvest, "--format", "csv") == 0
    told = json.loads((out / "manifest.json").read_text())
    mine = out / "items.csv"
    (file,) = [file for file in told["files"] if file["path"] == "items.csv"]
    if forge == "other text":
        mine.write_text("my thesis")
    elif forge == "as long":
        mine.write_bytes(b"x" * file["bytes"])
    elif forge == "a link":
        mine.rename(tmp_path / "elsewhere.csv")
        mine.symlink_to(tmp_path / "elsewhere.csv")
    elif forge == "no mark":
        del file["sha256"]
    else:
        mine.write_bytes(mine.read_bytes() + b"\n")
    (out / "manifest.json").write_text(json.dumps(told))
    before = contents(tmp_path)
    assert main("export", out, "--db", harvest, "--format", "csv", "--force") == 4
    assert contents(tmp_path) == before


def test_a_link_to_a_folder_is_not_taken_away(harvest, tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert main("export", out, "--db", harvest, "--format", "csv") == 0
    (out / "link").symlink_to(elsewhere)
    assert main("export", out, "--db", harvest, "--format", "csv", "--force") == 4
    assert (out / "link").is_symlink()


def test_what_a_killed_export_left_is_cleared_away_by_the_next_one(harvest, tmp_path):
    """And nothing else: not what another export is at, nor what others call so."""
    out = tmp_path / "out"
    left, held, other = (tmp_path / name for name in (".out.0123abcd.part", ".out.4567cdef.part", ".out.notes.part"))
    for folder in (left, held, other):
        folder.mkdir()
        (folder / "items.csv").write_text("half")
    link = tmp_path / ".out.89abcdef.part"
    link.symlink_to(other)
    handle = os.open(held, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert main("export", out, "--db", harvest, "--format", "csv") == 0
    finally:
        os.close(handle)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([held.name, other.name, link.name, "out"])
    assert all((folder / "items.csv").exists() for folder in (held, other))
    assert main("export", out, "--db", harvest, "--format", "csv", "--force") == 0
    assert not held.exists()


def exported_until(moment, harvest, out):
    """Export in a process of its own that is killed before it renames or deletes for the N-th time; say if it was."""
    child = os.fork()
    if not child:
        calls = 0

        def look(event, _):
            nonlocal calls
            if event in ("os.rename", "os.remove", "os.rmdir", "shutil.rmtree"):
                calls += 1
                if calls == moment:
                    os._exit(9)

        sys.addaudithook(look)
        leave(harvest, out, format="csv", force=True)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_an_export_killed_while_it_takes_its_place_is_whole_or_put_back(harvest, tmp_path):
    """At every renaming and every deletion: the next export finds the earlier one or the new one, and nothing else."""
    out = tmp_path / "out"
    found, moment = set(), 1
    while True:
        shutil.rmtree(out, ignore_errors=True)
        made = leave(harvest, out, format="jsonl")
        killed = exported_until(moment, harvest, out)
        with pytest.raises(StorageFailed, match="--force"):
            leave(harvest, out, format="csv")
        there = {file["path"] for file in json.loads((out / "manifest.json").read_text())["files"]}
        assert there == set(contents(out)) - {"manifest.json"}
        found.add("earlier" if there == {file["path"] for file in made["files"]} else "new")
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        if not killed:
            break
        moment += 1
    assert found == {"earlier", "new"}
    assert moment > 5


def test_what_stepped_aside_and_was_changed_is_not_deleted(harvest, tmp_path):
    """Nor a folder of that name with the manifest of an export, in which there is something else."""
    out, mine = tmp_path / "out", (tmp_path / ".out.0123abcd.old", tmp_path / ".out.4567cdef.old")
    for folder in (out, *mine):
        leave(harvest, folder, format="csv")
    (mine[0] / "items.csv").write_text("mine")
    (mine[1] / "thesis.txt").write_text("mine")
    before = [contents(folder) for folder in mine]
    leave(harvest, out, format="csv", force=True)
    assert [contents(folder) for folder in mine] == before
