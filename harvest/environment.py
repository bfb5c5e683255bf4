"""The variables this process was started with, and those of ours in a file named `.env`.

in: the environment, folders; out: values, and where each came from; never: a change of the environment itself.

Rule 1. The maker of the folder wrote its `.env`, and may be a stranger. Only names of ours are kept of it, as they
stand: no other variable is put into them, and no library and no program that is started sees them.
Rule 2. The file is read when something is wanted that the environment does not name, so what needs no setting works
beside any file.
Rule 3. What is in the environment hides what is in the file, even when it is empty there.
"""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from pathlib import Path

from harvest.errors import SettingsError

FROM_PROCESS = "environment"
OURS = ("SOUNDCLOUD_", "HARVEST_")
_NAME = ".env"
_LARGEST = 1_000_000
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True, slots=True)
class Found:
    """A value, the variable that had it, and where that was: `environment`, or the path of a `.env`."""

    value: str = ""
    variable: str = ""
    source: str = "default"

    @property
    def is_from_file(self) -> bool:
        """Say whether a `.env` says so."""
        return self.source not in (FROM_PROCESS, "default")


@dataclass(frozen=True, slots=True)
class DotEnv:
    """What a `.env` says: the names of ours with their values, and which other names it has."""

    source: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    others: tuple[str, ...] = ()


class Environment:
    """Where settings are looked up: in the process, then in the first `.env` of some folders."""

    def __init__(self, process: Mapping[str, str], folders: Sequence[Path] = ()) -> None:
        self.process = process
        self.folders = tuple(dict.fromkeys(folders))

    @classmethod
    def here(cls, *more: Path) -> Environment:
        """Give that of this process, with the `.env` of the working directory, else of one of `more` folders."""
        return cls(os.environ, (Path(), *(folder for folder in more if folder.resolve() != Path.cwd())))

    @cached_property
    def file(self) -> DotEnv:
        """Read the first `.env` there is; raise SettingsError when it is no text file."""
        for folder in self.folders:
            path = folder / _NAME
            text = _text_of(path)
            if text is not None:
                return _parsed(str(path), text)
        return DotEnv()

    def find(self, *names: str) -> Found:
        """Look for the first of several names of one setting that has a value; raise SettingsError for a bad file."""
        if any(name in self.process for name in names):
            return _first(names, self.process, FROM_PROCESS)
        return _first(names, self.file.values, self.file.source)

    @property
    def looked_in(self) -> str:
        """Name the places where a `.env` would be found."""
        return " and ".join(str((folder / _NAME).absolute()) for folder in self.folders)


class WithoutCredentials(Environment):
    """The same without what signs in: the environment of plug-ins."""

    def __init__(self, whole: Environment) -> None:
        super().__init__({name: value for name, value in whole.process.items() if not _signs_in(name)}, whole.folders)

    @cached_property
    def file(self) -> DotEnv:
        """Read what the `.env` says beside that; raise SettingsError when it is no text file."""
        said = Environment({}, self.folders).file
        return DotEnv(said.source, {name: one for name, one in said.values.items() if not _signs_in(name)}, said.others)


def _signs_in(name: str) -> bool:
    return name.startswith(OURS[0])


def _first(names: Sequence[str], values: Mapping[str, str], source: str) -> Found:
    for name in names:
        if value := values.get(name, "").strip():
            return Found(value, name, source)
    return Found()


def _text_of(path: Path) -> str | None:
    """Read a file that a stranger may have put there; None when there is none. A folder may have that name as well."""
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            return None
        if not stat.S_ISREG(kind):
            raise SettingsError(f"{path} is no ordinary file: write the settings into one, or into the environment.")
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from error
    if len(raw) > _LARGEST:
        raise SettingsError(f"{path} is larger than a megabyte, so it is no file of settings.")
    encoding = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), "utf-8")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text: save it as UTF-8.") from None


def _parsed(source: str, text: str) -> DotEnv:
    """Keep the names of ours; raise SettingsError for a line of ours that cannot be understood."""
    from dotenv.parser import parse_stream  # late: most commands find all they need in the environment

    values: dict[str, str] = {}
    others: dict[str, None] = {}
    for binding in parse_stream(StringIO(text)):
        line = binding.original.string.strip()
        if binding.error and line.removeprefix("export").lstrip(" '\"").startswith(OURS):
            raise SettingsError(f"{source} cannot be understood in line {binding.original.line}: write NAME=value.")
        if binding.key and binding.key.startswith(OURS):
            values[binding.key] = binding.value or ""
            if not values[binding.key].isprintable():
                raise SettingsError(f"{source} has odd characters in the value of {binding.key}: write it again.")
        elif binding.key:
            others[binding.key] = None
    return DotEnv(source, values, tuple(others))
