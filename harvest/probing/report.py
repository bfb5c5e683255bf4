"""What a probe has learned, in a form to share: shapes alone, no person's data. A file read back is not trusted."""

from __future__ import annotations

from pathlib import Path

import msgspec

from harvest.errors import SettingsError, StorageFailed
from harvest.probing.differences import Difference
from harvest.probing.onward import GoesOn
from harvest.probing.shapes import Fields
from harvest.system.files import beside, read_at_most, write_through

FORMAT = 1
_LARGEST = 20_000_000  # bytes; a report has 100,000


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of one endpoint for one credential.

    `problem` is the class of failure, '' where it answered; `fields` say how often which type stood at each path.
    `asked_for` entries were wanted of a page that has `entries`; `location` is where a redirect points, in kinds.
    `limits` are the headers that tell of limits.
    """

    status: int
    problem: str = ""
    asked_for: int | None = None
    entries: int | None = None
    fields: Fields = {}
    goes_on: GoesOn | None = None
    location: str = ""
    limits: dict[str, str] = {}


class Endpoint(msgspec.Struct, omit_defaults=True):
    """The answers of an endpoint by credential, or why it was not asked."""

    answers: dict[str, Answer] = {}
    not_asked: str = ""


class Report(msgspec.Struct):
    """A probe. `credentials` are `application`, `person`, or `token` where its owner is unknown; `ended` says how
    it ended: `whole`, or why it is not; `world` names a simulated service; `changes` are there when it was compared.
    """

    made_by: str
    day: str
    credentials: list[str]
    ended: str
    requests: int
    endpoints: dict[str, Endpoint]
    differences: list[Difference]
    official: str
    world: str = ""
    changes: list[Difference] | None = None
    harvest_probe: int = FORMAT


class _Version(msgspec.Struct):
    harvest_probe: int


def as_json(report: Report) -> bytes:
    """Write a report, a value a line."""
    return msgspec.json.format(msgspec.json.encode(report, order="deterministic"), indent=1) + b"\n"


def read_report(path: Path) -> Report:
    """Read an older report. Raises SettingsError for what is none, or is newer than this version."""
    try:
        body = read_at_most(path, _LARGEST)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        version = msgspec.json.decode(body, type=_Version).harvest_probe
        if version > FORMAT:
            raise SettingsError(
                f"{path} was made by a newer harvest: its form is {version}, and {FORMAT} is known here."
            )
        return msgspec.json.decode(body, type=Report)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SettingsError(f"{path} is no report of `harvest probe`.") from error


def check_target(out: Path) -> None:
    """Refuse to write over anything but an earlier report. Raises StorageFailed."""
    try:
        if not out.exists():
            return
        read_report(out)
    except (SettingsError, OSError) as error:
        raise StorageFailed(f"{out} is there and is no report of `harvest probe`: name another file.") from error


def write_report(report: Report, out: Path) -> None:
    """Write a report beside its place, then move it there in one step. Raises StorageFailed; what was there stays."""
    try:
        with beside(out) as part:
            part.write_bytes(as_json(report))
            write_through(part)
            part.replace(out)
    except OSError as error:
        raise StorageFailed(f"Cannot write {out}: {error.strerror or error}. Name another place.") from error
