"""What errors say."""

import subprocess
import sys

from harvest.errors import ExtraMissing


def test_a_missing_extra_is_installed_by_the_python_that_misses_it():
    error = ExtraMissing("harvest serve", "datasette", "serve")
    said, _, command = str(error).partition(": ")
    assert (said, error.exit_code) == ("harvest serve needs datasette", 2)
    python, rest = command.split(" -m ")
    assert rest == "pip install 'harvest[serve]'"
    asked = [python.strip("'"), "-c", "import sys; print(sys.executable)"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == sys.executable
