"""What errors say."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from harvest.errors import ExtraMissing

ROOT = Path(__file__).parents[2]


def test_a_missing_extra_is_installed_by_the_python_that_misses_it():
    error = ExtraMissing("harvest serve", "datasette", "serve")
    said, _, command = str(error).partition(": ")
    assert (said, error.exit_code) == ("harvest serve needs datasette", 2)
    python, rest = command.split(" -m ")
    assert shlex.split(rest) == ["pip", "install", "-e", f"{ROOT}[serve]"]
    asked = [python.strip("'"), "-c", "import sys; print(sys.executable)"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == sys.executable


def test_away_from_the_clone_the_hint_says_where_to_run_it(tmp_path):
    """As after `pip install .`: the package stands alone, and the clone may be anywhere."""
    (tmp_path / "harvest").mkdir()
    (tmp_path / "harvest" / "__init__.py").touch()
    shutil.copy(ROOT / "harvest" / "errors.py", tmp_path / "harvest")
    script = "from harvest.errors import how_to_install; print(how_to_install('serve'))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip().endswith(" -m pip install '.[serve]' in the clone of harvest")


def test_what_came_from_the_index_goes_on_from_there(tmp_path):
    """Under the name that pyproject.toml gives it; the file that tells of another place is missing then (PEP 610)."""
    name = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["name"]
    (tmp_path / "harvest").mkdir()
    (tmp_path / "harvest" / "__init__.py").touch()
    shutil.copy(ROOT / "harvest" / "errors.py", tmp_path / "harvest")
    record = tmp_path / f"{name.replace('-', '_')}-9.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9\n")
    script = "from harvest.errors import how_to_install; print(how_to_install('serve'))"
    for direct, hint in ((None, f"'{name}[serve]'"), ("{}", "'.[serve]' in the clone of harvest")):
        if direct:
            (record / "direct_url.json").write_text(direct)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
        assert done.stdout.strip().endswith(f" -m pip install {hint}")


def test_nothing_tells_anybody_to_install_a_package_by_the_name_of_another_project():
    """`harvest` on PyPI is somebody else's."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.ipynb")]
    pages += (ROOT / "harvest").rglob("*.py")
    by_name = re.compile(r"pip install[^\n]*?(?<!soundcloud-)\bharvest(?:\[|`|$)")
    assert [str(page) for page in pages if by_name.search(page.read_text("utf-8"))] == []
