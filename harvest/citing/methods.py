"""How a file was made, in sentences for the methods section of a paper, each from the ledger. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from harvest.citing.facts import Facts, Started
from harvest.lists import KINDS
from harvest.models import BY_LOT
from harvest.things import THINGS

_FIRST = {
    "newest": "in the order of the lists, newest first, which is no random sample",
    "popular": "by their number of followers, most first, which is no random sample",
    "least-known": "by their number of followers, fewest first, which is no random sample",
}
_OTHERWISE = {
    "gone": "gone",
    "forbidden": "not shown to us",
    "withdrawn": "withdrawn by the service",
    "unreadable": "unreadable",
    "failed": "failed",
    "loop": "going round in a circle",
    "stale": "begun anew after standing still too long",
    "forgotten": "of those who were forgotten",
    "purged": "purged again",
}
_SEEDS_NAMED = 3


def methods(facts: Facts, *, hide: bool = False) -> list[str]:
    """Give the sentences. With `hide` they name no seed, and nothing whose exact number might tell which it is."""
    if facts.first_page_at is None:
        return ["Nothing has been collected into this file."]
    return [
        *_collected(facts, hide=hide),
        *(sentence for one in facts.harvests for sentence in _sampled(one, facts, hide=hide)),
        *_read(facts, hide=hide),
        *_ended(facts, hide=hide),
    ]


def _collected(facts: Facts, *, hide: bool) -> Iterator[str]:
    seeds = [seed for one in facts.harvests for seed in one.seeds]
    service = (
        "a simulated SoundCloud, so that the data are invented,"
        if facts.made_up
        else f"SoundCloud's API ({facts.service})"
    )
    versions = " and ".join(facts.versions)
    begun, ended = str(facts.first_page_at)[:10], str(facts.last_page_at)[:10]
    window = f"on {begun}" if begun == ended else f"between {begun} and {ended}"
    yield (
        f"The listening graph around {_seeds(seeds, hide=hide)} was collected from {service} with harvest {versions},"
        f" {window} (UTC)."
    )
    for plan in facts.plans:
        yield (
            f"It followed a plan that was saved before (SHA-256 {plan.digest}); run {plan.run_id}, begun at"
            f" {plan.begun_at}, was the first under it."
        )


def _seeds(seeds: Sequence[tuple[str, str]], *, hide: bool) -> str:
    things = Counter(thing for thing, _ in seeds)
    counted = " and ".join(
        _titled(thing) if n == 1 else f"{n:,} seeds, each {_titled(thing)}" for thing, n in things.items()
    )
    if hide or len(seeds) > _SEEDS_NAMED or not seeds:
        return counted or "no seed"
    return f"{counted} ({', '.join(address for _, address in seeds)})"


def _titled(thing: str) -> str:
    """Give what a kind of thing is called, with its article: a track."""
    return THINGS[thing].title if thing in THINGS else "a seed"


def _sampled(one: Started, facts: Facts, *, hide: bool) -> Iterator[str]:
    """Say who was listed around the seeds of a harvest, who was followed, and how they were chosen."""
    limits = one.limits
    if not one.followed:
        return
    which = "" if len(facts.harvests) == 1 else f" of harvest {one.id}"
    if one.listed and not hide:
        yield (
            f"Around the seed tracks{which} {one.listed:,} people were listed, from lists of at most"
            f" {limits.max_listed:,} entries."
        )
    if limits.order in BY_LOT and one.chances:
        least, most = one.chances[0], one.chances[-1]
        chance = f"{least:.3g}" if least == most else f"{least:.3g} to {most:.3g}"
        people = "Of these, people" if hide else f"Of these, {one.drawn:,}"
        known = "" if hide else f", each with an inclusion probability of {chance}"
        yield f"{people} were drawn by lot (BLAKE2b, sample seed {limits.sample_seed}){known}."
        if one.mark is not None:
            yield _until(one, hide=hide)
    elif limits.controls and one.chances and min(one.chances) < 1:
        first, *others = (f"{chance:.3g}" for chance in sorted({*one.chances} - {1.0}))
        known = "" if hide else f", each with an inclusion probability of {' to '.join([first, *others[-1:]])}"
        people = "People" if hide else f"{one.followed - one.controls:,} people"
        control = "others" if hide else f"{one.controls:,} of the others"
        yield f"{people} were followed, chosen {_FIRST[limits.order]}, and so for certain."
        yield (
            f"Beside them {control} were drawn by lot as a control sample (BLAKE2b, sample seed"
            f" {limits.sample_seed}){known}."
        )
    elif one.chances == (1.0,) and one.followed == one.listed:
        yield "All of them were followed." if not hide else "All people listed were followed."
    else:
        people = "People" if hide else f"{one.followed:,}"
        yield f"{people} were followed, chosen {_FIRST.get(limits.order, 'by lot, with chances that are not known')}."
    if limits.order == "walk" and (limits.depth or 0) > 1:
        yield (
            f"From each of them a walk of {limits.depth:,} stops continued, at random along {', '.join(limits.via)}, to"
            " no person twice; means over people on the walk are to be weighed by one over the number"
            " of their ways on (Volz & Heckathorn 2008)."
        )
    elif limits.depth is not None and limits.depth > 1:
        yield (
            f"The harvest went on to depth {limits.depth}, around the tracks that most of these people have in common,"
            f" {limits.max_tracks:,} in each round; inclusion probabilities hold for people around the seeds alone."
        )


def _until(one: Started, *, hide: bool) -> str:
    share = one.limits.until_new or 0.0
    rule = (
        "The sample was to end at the first multiple of 50 people where the upper end of the 95 % interval of the share"
        f" of the next person's likes that would be new lies below {share:.3g}"
    )
    judged = next((j.coverage for j in one.judged if j.coverage is not None and j.coverage.new_share is not None), None)
    if one.state != "sated" or judged is None or hide:
        return f"{rule}, and it {'did' if one.state == 'sated' else 'has not ended by that rule'}."
    return (
        f"{rule}; it ended after {one.mark:,}, where that share was estimated at {judged.new_share:.3f}"
        f" ({judged.low:.3f} to {judged.high:.3f})."
    )


def _read(facts: Facts, *, hide: bool) -> Iterator[str]:
    """Say of each kind of list how many were read, and how they ended."""
    if hide:
        return
    for kind, outcomes in facts.lists.items():
        n = sum(outcomes.values())
        whole = outcomes.get("complete", 0)
        rest = [f"{outcomes['capped']:,} cut at our own bound"] if outcomes.get("capped") else []
        rest += [f"{outcomes['short']:,} shorter than the service claims"] if outcomes.get("short") else []
        rest += [f"{outcomes[name]:,} {words}" for name, words in _OTHERWISE.items() if outcomes.get(name)]
        ended = ", ".join([f"{whole:,} whole", *rest])
        lists = "1 list" if n == 1 else f"{n:,} lists"
        yield f"{KINDS[kind].title[:1].upper()}{KINDS[kind].title[1:]}: {lists} asked for, {ended}."


def _ended(facts: Facts, *, hide: bool) -> Iterator[str]:
    if not hide:
        runs = "one run" if facts.runs == 1 else f"{facts.runs:,} runs"
        yield (
            f"That took {facts.requests:,} requests in {runs}; the file holds {facts.users:,} people, {facts.tracks:,}"
            f" tracks, {facts.likes:,} likes and {facts.reposts:,} reposts."
        )
    unfinished = [one for one in facts.harvests if one.state in ("running", "paused")]
    if unfinished:
        yield "The collection is not finished."
    if facts.refreshed:
        yield "Lists whose counts had moved were read again later; what had vanished by then is kept apart."
    yield "SoundCloud gives no times of likes: ranks in lists order them, and nothing tells when they were made."
