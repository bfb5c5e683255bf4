"""What may be chosen for an export, and which choices do not go together. Pure, but that plug-ins
are asked for formats that are not ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harvest.analysis.methods import FRAMINGS
from harvest.errors import SettingsError
from harvest.plugins.registry import offers

FORMATS = ("parquet", "csv", "jsonl", "recbole", "csr", "tsv", "hf", "graphml", "gexf", "m3u", "jspf")
GRAPHS = ("graphml", "gexf")
PLAYERS = ("m3u", "jspf")
SHAPES = ("all", "follows", "tracks", "people")  # of a graph: what its nodes and edges are
BACKBONES = ("disparity", "sdsm")  # by what an edge between two tracks or people is held to be chance
TABLES = ("parquet", "csv", "jsonl", "hf")  # formats that take all tables
KINDS = ("like", "repost")
IDS = ("raw", "dense", "pseudonym")


@dataclass(frozen=True, slots=True)
class Split:
    """How interactions are told apart into train and test: not at all, by a hash, or the newest of each user."""

    how: str = "none"  # none, hash, last
    share: float = 0.0  # of hash: the share that goes to test
    newest: int = 0  # of last: how many of each user go to test

    def __str__(self) -> str:
        return {"hash": f"hash:{self.share:g}", "last": f"last:{self.newest}"}.get(self.how, "none")


@dataclass(frozen=True, slots=True)
class ExportChoices:
    """What to export. Zero means: no such filter."""

    format: str = "parquet"
    kinds: tuple[str, ...] = ("like",)
    complete_users_only: bool = False
    min_users: int = 0  # tracks with fewer users are left out, once
    min_items: int = 0  # users with fewer tracks are left out, once, after that
    kcore: int = 0  # both, again and again, until nothing changes
    k: int = 0  # the same where the export is handed on: also of playlists, stations and searches
    split: Split = Split()
    seed: int = 0  # of the hash
    ids: str = "raw"
    include_incomplete: bool = False
    lists: bool = False  # what all other lists say as well
    texts: bool = False  # and what people wrote in them
    frames: str = "auto"  # which tracks are taken for frames, one of FRAMINGS
    without_frames: bool | None = None  # None: where there is a split
    graph: str = "all"  # one of SHAPES
    backbone: str = BACKBONES[0]  # which alpha edges of tracks or people carry
    level: float | None = None  # edges whose alpha is below it; None: all
    ego: str | None = None  # what lies around this track or person alone: an address, a URN, an id
    radius: int = 1  # so many steps from there

    @property
    def filters(self) -> bool:
        """Whether people are left out."""
        return bool(
            self.complete_users_only
            or self.min_users
            or self.min_items
            or self.kcore
            or self.k
            or self.drops_frames
            or self.ego
        )

    @property
    def drops_frames(self) -> bool:
        """Tracks for which people were chosen are to be left out: who knows how the file was made guesses them."""
        return self.split.how != "none" if self.without_frames is None else self.without_frames

    @property
    def likes(self) -> bool:
        """Likes are wanted."""
        return "like" in self.kinds

    @property
    def reposts(self) -> bool:
        """Reposts are wanted."""
        return "repost" in self.kinds

    @property
    def parts(self) -> tuple[str, ...]:
        """The files that interactions go to."""
        return ("interactions",) if self.split.how == "none" else ("train", "test")


def parse_kinds(text: str) -> tuple[str, ...]:
    """Read `like`, `repost` or `like,repost`. Raises SettingsError."""
    named = {part.strip() for part in text.split(",")}
    if not named <= set(KINDS):
        raise SettingsError(f"--kind is like, repost, or like,repost; not {text!r}.")
    return tuple(kind for kind in KINDS if kind in named)


def parse_split(text: str) -> Split:
    """Read `none`, `hash:0.2` or `last:1`. Raises SettingsError."""
    how, _, amount = text.strip().partition(":")
    try:
        if how == "hash" and 0 < float(amount) < 1:
            return Split("hash", share=float(amount))
        if how == "last" and int(amount) >= 1:
            return Split("last", newest=int(amount))
    except ValueError:
        pass
    if text.strip() == "none":
        return Split()
    raise SettingsError(
        f"--split is none, hash:SHARE (a share between 0 and 1, as hash:0.2) or last:N (as last:1); not {text!r}."
    )


def choices_of(given: Mapping[str, Any]) -> ExportChoices:
    """Read options as they are called on the command line and in Python; what is None or left out is as usual. Raises
    SettingsError.
    """
    wanted = {name: value for name, value in given.items() if value is not None}
    if "kind" in wanted:
        wanted["kinds"] = parse_kinds(wanted.pop("kind"))
    if "split" in wanted:
        wanted["split"] = parse_split(wanted["split"])
    for name, there in (
        ("format", FORMATS if wanted.get("format") in FORMATS else formats()),
        ("ids", IDS),
        ("frames", FRAMINGS),
        ("graph", SHAPES),
        ("backbone", BACKBONES),
    ):
        if name in wanted and wanted[name] not in there:
            raise SettingsError(f"--{name} is one of {', '.join(there)}; not {wanted[name]!r}.")
    return ExportChoices(**wanted)


def formats() -> tuple[str, ...]:
    """Give the formats there are, those of plug-ins among them. Raises PluginError."""
    found = [*FORMATS]
    for offer in offers("exporters"):
        for name in offer.what:
            offer.check_name(name, FORMATS)
            found.append(name)
    return tuple(found)


def check(choices: ExportChoices) -> None:
    """Refuse what makes no sense together. Raises SettingsError."""
    if choices.split.how == "last" and len(choices.kinds) > 1:
        raise SettingsError(
            "--split last needs one kind: places in a list of likes and in one of reposts cannot be compared. "
            "Use --kind like, or --split hash:0.2."
        )
    if choices.lists and choices.format not in TABLES:
        raise SettingsError(f"--lists makes tables: with --format {', '.join(TABLES)}, not with {choices.format}.")
    if choices.texts and (not choices.lists or choices.ids == "pseudonym"):
        why = "belongs to --lists" if not choices.lists else "tells who wrote them, which pseudonyms are to hide"
        raise SettingsError(f"--texts {why}: leave it out.")
    if choices.split.how != "none" and choices.format in GRAPHS:
        raise SettingsError(
            f"--split has no meaning in a graph: leave it out, or choose another format than {choices.format}."
        )
    if choices.graph != "all" and choices.format not in GRAPHS:
        raise SettingsError(f"--graph {choices.graph} needs --format {' or '.join(GRAPHS)}, not {choices.format}.")
    if choices.level is not None and choices.graph not in ("tracks", "people"):
        raise SettingsError("--level belongs to --graph tracks or people, whose edges have a chance.")
    if choices.ids == "pseudonym" and (choices.ego or choices.format in PLAYERS):
        what = "--ego names whom pseudonyms are to hide" if choices.ego else "a list for players names its tracks"
        raise SettingsError(f"{what}: leave out --ids pseudonym.")
    if choices.split.how != "none" and choices.format in PLAYERS:
        raise SettingsError("--split has no meaning in a list for players: leave it out.")
    if choices.ids == "dense" and choices.format == "csr":
        raise SettingsError(
            "The rows and columns of csr are dense as they are, and user_ids.npy and item_ids.npy map them to ids: "
            "leave out --ids dense."
        )
