"""Export a harvest: choose, write, describe, and only then let it be seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harvest.errors import PluginError, SettingsError
from harvest.export import csr, graphs, hugging_face, parquet, players, recbole, rows
from harvest.export.changes import names_left_out
from harvest.export.choices import TABLES, ExportChoices, check
from harvest.export.crates import crates
from harvest.export.folder import MANIFEST, check_target, clear_away, staged
from harvest.export.job import ROWS_PER_FILE, Job, OutFile
from harvest.export.list_tables import widen, words_left_out
from harvest.export.manifest import described, manifest
from harvest.export.pseudonyms import read_key
from harvest.export.selection import Tell, select
from harvest.plugins.registry import offers
from harvest.store import in_memory
from harvest.store.database import check_readable, storage_errors

_WRITERS: dict[str, Callable[[Job], list[OutFile]]] = {
    "parquet": parquet.write,
    "csv": rows.write_csv,
    "jsonl": rows.write_jsonl,
    "recbole": recbole.write,
    "csr": csr.write,
    "tsv": rows.write_tsv,
    "hf": hugging_face.write,
    "graphml": graphs.write_graphml,
    "gexf": graphs.write_gexf,
    "m3u": players.write,
    "jspf": players.write,
}


def export(
    path: Path,
    target: Path,
    choices: ExportChoices,
    *,
    now: str,
    tell: Tell,
    key_file: Path | None = None,
    force: bool = False,
    rows_per_file: int = ROWS_PER_FILE,
) -> dict[str, Any]:
    """Export the harvest `path` into the folder `target`, and give what its manifest says.

    `now` is a time as text, `tell` hears how far it is. Raises SettingsError for choices that make no sense or leave
    nothing, StoreError when the harvest cannot be read or the folder cannot be written.
    """
    check_wishes(choices, target, key_file)
    check_readable(path)
    clear_away(target)
    check_target(target, force=force)
    key = read_key(key_file) if key_file is not None else b""
    with storage_errors(path, writes=False), staged(target, force=force) as folder:
        scratch = Path(":memory:") if in_memory.holds(path) else folder / ".choosing"
        write = _writer(choices.format)
        with select(path, scratch, choices, key=key, tell=tell, widen=widen) as selection:
            job = Job(selection, folder, target.resolve().name, tell, rows_per_file)
            if choices.format in ("graphml", "gexf"):
                graphs.check_size(job, force=force)
            files = write(job)
            tell("describing", 0, None)
            if choices.lists:
                selection.left_out.extend(words_left_out(selection))
            if choices.format in TABLES:
                selection.left_out.extend(names_left_out(selection))
            made = manifest(job, files, made_at=now, key=key)
            made["files"] += _write_crates(folder, made, files)
        scratch.unlink(missing_ok=True)
        (folder / MANIFEST).write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return made


def _ours() -> dict[str, Callable[[Job], list[OutFile]]]:
    return _WRITERS


def _writer(name: str) -> Callable[[Job], list[OutFile]]:
    """Give what writes a format. Raises PluginError."""
    if name in _WRITERS:  # and plug-ins are not looked for
        return _WRITERS[name]
    found: dict[str, Callable[[Job], list[OutFile]]] = {}
    for offer in offers("exporters", _ours):
        for one, write in offer.what.items():
            offer.check_name(one, _WRITERS)
            found.setdefault(one, _blamed(offer.plugin, one, write))
    return found[name]


def _blamed(plugin: str, name: str, write: Callable[[Job], list[OutFile]]) -> Callable[[Job], list[OutFile]]:
    """Let what goes wrong in a plug-in's format name the plug-in, and check that the files it returns are there."""

    def blamed(job: Job) -> list[OutFile]:
        with PluginError.blaming(plugin, f"its format {name}"):
            files = [*write(job)]
            for file in files:
                (job.folder / file.path).stat()
            return files

    return blamed


def _write_crates(folder: Path, made: dict[str, Any], files: list[OutFile]) -> list[dict[str, Any]]:
    """Write what others read of an export, and describe these files too."""
    types = {file.path: dict(zip(file.columns, file.types, strict=True)) for file in files if file.types}
    written = []
    for path, told in crates(made, types).items():
        (folder / path).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(described(folder, OutFile(path, "crate", 0, ())))
    return written


def check_wishes(choices: ExportChoices, target: Path, key_file: Path | None) -> None:
    """Raise SettingsError for what makes no sense, or needs what is not installed."""
    check(choices)
    if choices.ids == "pseudonym" and key_file is None:
        raise SettingsError(
            "--ids pseudonym needs --key FILE: a file for the key, made when it is missing, which stays with you."
        )
    if choices.ids != "pseudonym" and key_file is not None:
        raise SettingsError("--key belongs to --ids pseudonym.")
    if key_file is not None and key_file.resolve().is_relative_to(target.resolve()):
        raise SettingsError(f"--key {key_file} would be handed on with {target}: keep it elsewhere.")
    if choices.format in ("parquet", "hf"):
        parquet.need_pyarrow(choices.format)
    if choices.format == "csr":
        csr.need_scipy()
