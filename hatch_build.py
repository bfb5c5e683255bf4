"""Where the project lives, told to the package that is built: the addresses of the repository whose workflow builds it.

A fork that is released links to itself; a package that is built elsewhere names no address rather than a wrong one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_PAGES = {"Changelog": "CHANGELOG.md", "Documentation": "README.md"}
_LINK = re.compile(r"(!?)(\[[^\]]*\])\((?!https?://|#)([^)\s]+)\)")


class Home(MetadataHookInterface):
    """Fills `project.urls`, and `project.readme` with links that lead into the repository from elsewhere too."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Take the address from the variables of a workflow; outside of one, there is none."""
        server, repository = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
        home = f"{server}/{repository}" if server and repository else ""
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["urls"] = {}
        if home:
            pages = {name: f"{home}/blob/HEAD/{page}" for name, page in _PAGES.items()}
            metadata["urls"] = {"Source": home, "Issues": f"{home}/issues", **pages}
            readme = _LINK.sub(lambda m: f"{m[1]}{m[2]}({home}/{'raw' if m[1] else 'blob'}/HEAD/{m[3]})", readme)
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}
