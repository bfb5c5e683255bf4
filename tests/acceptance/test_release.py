"""What is handed on: the wheel, installed where nothing of the clone is, and the types that others check against."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from harvest._version import __version__
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, World, run_in_thread
from tests.containers import CONTAINERFILE, environment_of, instruction
from tests.foreign import python_of
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DOWNSTREAM = """
import harvest


def titles(path: str) -> list[str | None]:
    return [like.title for like in harvest.open(path).likes]


def crawl(seed: str) -> harvest.File:
    return harvest.crawl(seed, max_users=5)
"""
WRONG = """
import harvest

harvest.crawl("https://soundcloud.com/artist/track", max_users="five")
number: int = harvest.open("tracks.db").likes
harvest.clamber()
"""


def tool(name: str) -> Path:
    return python_of("release").with_name(name)


def run(*command: object, folder: Path, code: int = 0, **environ: str) -> str:
    """Run a program away from the clone, and away from the settings of this machine; give what it says."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOUNDCLOUD_", "HARVEST_", "PYTHON", "GITHUB_"))}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env={**kept, "PYTHONIOENCODING": "utf-8", "XDG_STATE_HOME": str(folder / "state"), **environ},
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build all of it, as the workflow of a release does."""
    tool("uv")  # or skip
    folder = tmp_path_factory.mktemp("out")
    where = {"GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "some/where"}
    run(ROOT / "scripts" / "build", folder, folder=folder, **where)
    return folder


@pytest.fixture(scope="module")
def clean(out: Path) -> Path:
    """The programs of the environment that the build made: the wheel and what it needs, and nothing else."""
    return out / "clean" / "bin"


def test_what_is_built_is_what_the_index_takes_and_names_where_it_was_built(out):
    (wheel,), (sdist,) = (out / "packages").glob("*.whl"), (out / "packages").glob("*.tar.gz")
    assert (wheel.name, sdist.name) == (
        f"soundcloud_harvest-{__version__}-py3-none-any.whl",
        f"soundcloud_harvest-{__version__}.tar.gz",
    )
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        told = opened.read(f"soundcloud_harvest-{__version__}.dist-info/METADATA").decode()
    assert "Project-URL: Source, https://github.example/some/where\n" in told
    assert "](https://github.example/some/where/raw/HEAD/docs/crawl.svg)" in told
    assert "](https://github.example/some/where/blob/HEAD/docs/sampling.md)" in told
    assert re.findall(r"\]\((?!https?://|#)[^)]*\)", told) == []
    of_ours = {str(path.relative_to(ROOT)) for path in (ROOT / "harvest").rglob("*") if _is_shipped(path)}
    of_ours |= {f"harvest/{path.relative_to(ROOT)}" for path in (ROOT / "schema").rglob("*") if path.is_file()}
    assert {name for name in names if name.startswith("harvest/")} == of_ours
    with tarfile.open(sdist) as packed:
        inside = {name.partition("/")[2] for name in packed.getnames()}
    assert {"pyproject.toml", "hatch_build.py", "scripts/test", "tests/conftest.py", "schema/README.md"} <= inside


def _is_shipped(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def test_the_wheel_alone_runs_the_demo_and_answers_in_sql(clean, tmp_path):
    assert run(clean / "harvest", "--version", folder=tmp_path).split() == ["harvest", __version__]
    said = run(clean / "harvest", "demo", "--cache-path", "demo.db", folder=tmp_path)
    assert re.search(r"^Compared with the world it came from: all [\d,]+ likes and reposts", said, re.MULTILINE)
    assert [path.name for path in tmp_path.iterdir() if path.name != "state"] == ["demo.db"]
    answer = run(clean / "harvest", "sql", "top-tracks", "--format", "json", "--cache-path", "demo.db", folder=tmp_path)
    assert json.loads(answer)
    hint = run(clean / "harvest", "serve", "--cache-path", "demo.db", folder=tmp_path, code=2)
    assert "pip install '.[serve]' in the clone" in hint  # installed from a file: of the index nothing is known
    (record,) = (clean.parent / "lib").glob("python*/site-packages/soundcloud_harvest-*.dist-info/direct_url.json")
    record.rename(tmp_path / record.name)  # and so it looks when it came from the index
    hint = run(clean / "harvest", "serve", "--cache-path", "demo.db", folder=tmp_path, code=2)
    shutil.move(tmp_path / record.name, record)
    assert "pip install 'soundcloud-harvest[serve]'" in hint


def test_types_reach_whoever_builds_on_it(clean, tmp_path):
    (tmp_path / "right.py").write_text(DOWNSTREAM)
    (tmp_path / "wrong.py").write_text(WRONG)
    strict = (tool("mypy"), "--strict", "--python-executable", clean / "python", "--cache-dir", os.devnull)
    assert "Success: no issues found in 1 source file" in run(*strict, "right.py", folder=tmp_path)
    errors = run(*strict, "wrong.py", folder=tmp_path, code=1)
    assert re.findall(r"wrong\.py:(\d+): error: .*\[([a-z-]+)\]", errors) == [
        ("4", "arg-type"), ("5", "assignment"), ("6", "attr-defined"),
    ]  # fmt: skip


def test_the_bill_of_materials_names_what_is_installed(out):
    parts = json.loads((out / "sbom.cdx.json").read_text("utf-8"))["components"]
    named = {part["name"].lower().replace("_", "-") for part in parts}
    needed = {re.match(r"[\w-]+", one)[0].lower() for one in PROJECT["dependencies"]}
    assert needed | {"soundcloud-harvest"} <= named
    assert named.isdisjoint({"pytest", "uv", "datasette"})  # no tools, no extras


# In a mount namespace of its own: what Containerfile makes, with the wheel at its place and a volume, and nothing else
# that could be written to. The programs of the environment name the folder it was made in, so Python is called itself.
LIKE_A_CONTAINER = """
mount -t tmpfs tmpfs /mnt
mkdir /mnt/harvest /mnt/data
mount --bind "$1" /mnt/harvest
mount --bind "$2" /mnt/data
for place in /mnt/harvest /mnt / /tmp /var/tmp /dev/shm /run; do
    ! mountpoint -q "$place" || mount -o remount,ro,bind "$place"
done
shift 2
cd /mnt/data
exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs /mnt/harvest/bin/python -m harvest "$@"
"""


def test_as_another_user_with_nothing_to_write_to_but_the_volume(clean, tmp_path):
    """What deploy/Containerfile starts, on a read-only root: a crawl, the check of its health, and `tend`."""
    probe = ["unshare", "--mount", "true"]
    if not shutil.which("setpriv") or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("needs root, unshare and setpriv")
    volume = tmp_path / "volume"
    volume.mkdir()
    os.chown(volume, 10001, 10001)
    told = {name: value.replace("/data", "/mnt/data") for name, value in environment_of(CONTAINERFILE).items()}
    del told["PATH"]
    wrapped = (
        "env",
        "-u",
        "SSL_CERT_FILE",
        "unshare",
        "--mount",
        "sh",
        "-ec",
        LIKE_A_CONTAINER,
        "sh",
        clean.parent,
        volume,
    )
    world = World(3, users=20, tracks=60, likes_per_user=8, seed_likers=12, seed_reposters=3)
    with run_in_thread(world) as server:
        told |= {"SOUNDCLOUD_API_URL": server.url, "SOUNDCLOUD_AUTH_URL": server.url}
        told |= {"SOUNDCLOUD_CLIENT_ID": DEMO_CLIENT_ID, "SOUNDCLOUD_CLIENT_SECRET": DEMO_CLIENT_SECRET}
        health = instruction(CONTAINERFILE, "HEALTHCHECK")[1:]
        run(*wrapped, *health, folder=tmp_path, code=4, **told)  # nothing is there yet
        seed = world.seed_url()
        said = run(*wrapped, seed, "--delay", "0", folder=tmp_path, **told)
        assert "Harvest complete" in said
        run(*wrapped, *health, folder=tmp_path, **told)
        run(*wrapped, *instruction(CONTAINERFILE, "CMD"), "--delay", "0", folder=tmp_path, **told)
    there = {path.name for path in volume.iterdir()}
    assert there == {"harvest.db", "state"}
    assert {path.stat().st_uid for path in volume.rglob("*")} == {10001}
