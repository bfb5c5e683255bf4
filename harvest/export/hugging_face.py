"""Write a folder that `datasets.load_dataset` reads as it is: Parquet, and a README.md that says which file is what."""

from __future__ import annotations

import json

from harvest.export.job import Job, OutFile
from harvest.export.parquet import write_tables
from harvest.terms import ATTRIBUTION, RESTRICTIONS

_PARTS = ("interactions", "train", "test")

_CARD = """\
---
pretty_name: {quoted}
license: other
tags:
- recommendation
- music
configs:
{configs}---

# {name}

{interactions:,} interactions of {users:,} users with {items:,} tracks, exported by harvest. `manifest.json` says how
they were chosen, what was left out, and how complete the lists are that they come from.

```python
from datasets import load_dataset

interactions = load_dataset("path/to/this/folder", "interactions")
```

- There are no times: SoundCloud tells none of likes. `user_list_rank` is the place in the user's own list; smaller is
  newer, within one user's list alone.
- The users were found around one track or a few, so everybody has something in common with it, and lists may have been
  cut short: see `likes_complete` in `users`.

{attribution}

{restrictions}
"""


def write(job: Job) -> list[OutFile]:
    """Write every table that has rows, and the card."""
    files = write_tables(job, _names)
    tables = dict.fromkeys("interactions" if file.table in _PARTS else file.table for file in files)
    card = _CARD.format(
        name=job.name,
        quoted=json.dumps(job.name),
        configs="".join(_config(table, files) for table in tables),
        interactions=job.selection.left.interactions,
        users=job.selection.left.users,
        items=job.selection.left.items,
        attribution=ATTRIBUTION,
        restrictions=RESTRICTIONS,
    )
    (job.folder / "README.md").write_text(card, encoding="utf-8")
    return [*files, OutFile("README.md", "card", 0, ())]


def _names(name: str, parts: int) -> list[str]:
    folder, split = ("data", "test" if name == "test" else "train") if name in _PARTS else (name, "train")
    return [f"{folder}/{split}-{n:05}-of-{parts:05}.parquet" for n in range(parts)]


def _config(table: str, files: list[OutFile]) -> str:
    folder = "data" if table == "interactions" else table
    splits = ["train", "test"] if any(file.table == "test" for file in files) and table == "interactions" else ["train"]
    default = "  default: true\n" if table == "interactions" else ""
    data_files = "".join(f'  - split: {split}\n    path: "{folder}/{split}-*"\n' for split in splits)
    return f"- config_name: {table}\n{default}  data_files:\n{data_files}"
