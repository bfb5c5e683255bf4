"""Run the notebooks of docs/notebooks and keep what they show: python scripts/notebooks.py [NAME...] [--into FOLDER].

Each runs from top to bottom in an empty folder, with a Python that has what tests/environments/notebooks.txt names.
Without --into the notebooks themselves are written anew. What differs from one run to the next by nature (times, the
Python's version) is not kept, so that the same code gives the same file.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "notebooks"
SETUP = """
import matplotlib
from matplotlib_inline.backend_inline import set_matplotlib_formats
matplotlib.rcParams.update({"svg.hashsalt": "harvest", "svg.fonttype": "none", "font.family": "sans-serif"})
set_matplotlib_formats("svg", metadata={"Date": None, "Creator": None})
"""


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", default=sorted(path.stem for path in FOLDER.glob("*.ipynb")))
    parser.add_argument("--into", type=Path, default=FOLDER, help="where to write; files that they make stay there too")
    arguments = parser.parse_args()
    for name in arguments.names:
        notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
        if arguments.into == FOLDER:
            with tempfile.TemporaryDirectory() as place:
                run(notebook, Path(place))
        else:
            run(notebook, arguments.into)
        nbformat.write(notebook, arguments.into / f"{name}.ipynb")
        print(f"{name}: {sum(cell.cell_type == 'code' for cell in notebook.cells)} cells", file=sys.stderr)


def run(notebook: nbformat.NotebookNode, place: Path) -> None:
    """Run all cells in a folder. The commands of this Python's environment need not be on the path."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HARVEST_", "SOUNDCLOUD_"))}
    environ.update(NO_COLOR="1", XDG_STATE_HOME=str(place / "state"), XDG_CONFIG_HOME=str(place / "config"))
    first = nbformat.v4.new_code_cell(SETUP)
    notebook.cells.insert(0, first)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(place)}}, record_timing=False)
    client.execute(env=environ)
    notebook.cells.remove(first)
    clean(notebook)


def clean(notebook: nbformat.NotebookNode) -> None:
    """Forget what differs by nature; number the cells as a reader would run them."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
        cell.metadata = {}
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


if __name__ == "__main__":
    main()
