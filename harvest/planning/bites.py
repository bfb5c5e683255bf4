"""Say which caps would cut something off, and what that means. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harvest.lists import ListKind
from harvest.models import BY_LOT, Limits
from harvest.planning.outlook import Visit
from harvest.planning.ranges import Range
from harvest.rules import Lead, RecipeLine


class Bites:
    """What one harvest's caps cut off, in sentences, as it comes to light."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.said: list[str] = []

    def of_seeds(self, seeds: Mapping[str, Sequence[Visit]], recipe: Sequence[RecipeLine]) -> None:
        """Look for lists of the seeds that are longer than their cap."""
        for line in recipe:
            visits = seeds.get(line.kind.subject, ())
            claims = [listed.claim or 0 for visit in visits if (listed := visit.get(line.kind.name))]
            cut = [claim for claim in claims if claim > line.cap]
            if len(cut) == 1:
                self.said.append(
                    f"{_bound(line)} keeps the first {line.cap:,} of {cut[0]:,} {line.kind.option}, the newest ones;"
                    " the list will be marked capped."
                )
            elif cut:
                self.said.append(f"{_bound(line)} cuts the {line.kind.option} of {len(cut):,} seeds.")

    def of_lead(self, lead: Lead, named: Range, chosen: Range) -> None:
        """Look at how many of those that the seeds' lists name will be visited."""
        most = getattr(self._limits, lead.most)
        controls = self._limits.controls if lead.to == "user" and not lead.in_common else 0
        option = f"--{lead.most.replace('_', '-')} {most:,}"
        share = chosen.likely / max(named.likely, 1)
        if named.likely <= most + controls or share > 0.99:
            return
        if not most:
            self.said.append(f"{option} goes no further: the lists around the seeds are all there will be.")
        elif lead.opens:
            self.said.append(
                f"{option} opens {share:.0%} of the playlists that the lists name, most often named first."
            )
        elif lead.in_common:
            self.said.append(f"{option} goes on from {share:.0%} of what the lists name, most often named first.")
        elif lead.to != "user":
            self.said.append(f"{option} goes on from about {share:.0%} of what the lists name, in their order.")
        elif self._limits.order in BY_LOT:
            self.said.append(
                f"{option} follows a random {share:.0%} of the people, drawn from all of them; the chance of each is"
                " stored."
            )
        elif controls:
            self.said.append(
                f"{option} follows the {self._limits.order} people, --control {controls:,} others drawn by lot: about"
                f" {share:.0%} of the people, each with a chance that is stored."
            )
        elif self._limits.order != "newest":
            self.said.append(f"{option} follows about {share:.0%} of the people, the {self._limits.order} ones.")
        else:
            self.said.append(
                f"{option} follows about {share:.0%} of the people: likers come first, and the list runs newest first,"
                " so this is about the newest likers, not all of them. --sample N draws from all, --control N beside"
                " them from the others."
            )

    def of_people(self, people: Sequence[Visit], recipe: Sequence[RecipeLine]) -> None:
        """Look for people whose lists are longer than their cap."""
        for line in recipe:
            listed = [visit.get(line.kind.name) for visit in people]
            claims = [one.claim for one in listed if one is not None and one.claim is not None]
            cut = sum(claim > line.cap for claim in claims)
            if line.kind.subject == "user" and not line.seeds_only and cut and len(claims) > 1:
                self.said.append(
                    f"{_bound(line)} cuts the {line.kind.option} of about {cut / len(claims):.0%} of the people: their"
                    " newest ones are kept."
                )


def _bound(line: RecipeLine) -> str:
    return f"{_option(line.kind)} {line.cap:,}" if _option(line.kind) else f"--cap {line.kind.option}={line.cap}"


def _option(kind: ListKind) -> str:
    return {"track_likers": "--max-listed", "track_reposters": "--max-listed", "user_likes": "--max-user-likes"}.get(
        kind.name, ""
    )
