"""Where the project lives, told to the package that is built: the addresses of the repository whose workflow builds it.

A fork that is released links to itself; a package that is built elsewhere names no address rather than a wrong one.
"""

from __future__ import annotations

import os
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Urls(MetadataHookInterface):
    """Fills `project.urls`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the addresses that the variables of a workflow lead to, none outside of one."""
        server, repository = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
        home = f"{server}/{repository}" if server and repository else ""
        pages = {"Changelog": "CHANGELOG.md", "Documentation": "README.md"}
        metadata["urls"] = (
            {"Source": home, "Issues": f"{home}/issues", **{name: f"{home}/blob/HEAD/{p}" for name, p in pages.items()}}
            if home
            else {}
        )
