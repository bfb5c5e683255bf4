"""Tracks liked by the same people, as one Ibis expression without an engine in it. Pure.

Rule 1. What stands in a person's own list counts, if the service itself ended that list (`complete` or `short`), or
        whatever was read if incomplete lists are wanted as well.
Rule 2. Of each person the newest likes count, by `user_list_rank` (0 is the newest), ties by item id.
Rule 3. A track whose own list of likers was read, as a seed's was, is left out: the people are here because they like
        it, so that it would be near to everything. In an export of a whole graph, where that is so of all, none is.
Rule 4. With n(a) people who like a, and n(ab) who like both: cosine = n(ab) / sqrt(n(a) n(b)),
        jaccard = n(ab) / (n(a) + n(b) - n(ab)).
Rule 5. Pairs with fewer than `min_common` people in common are left out. Scores are rounded to twelve digits, then
        ranked from the largest, ties by the smaller id; of each item the `top` nearest stay.

These are the rules of `harvest analyze`, so that both give the same rows. (It alone goes on to compare the tracks of
rule 3 with the others, by the service's own counts.)

In: the tables `interactions` and `users` of the export. Out: a table with the columns of its table `item_item`.
Never: an engine, a file, or an execution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

ENDED = ("complete", "short")  # by the service
SHIFT = 1e12  # twelve digits
WHOLE = 2.0**52


def colikes(
    interactions: ir.Table,
    users: ir.Table,
    *,
    top: int = 50,
    min_common: int = 3,
    max_likes: int = 1000,
    include_incomplete: bool = False,
    frames: bool = True,
) -> ir.Table:
    """Give source_id, target_id, measure, score (float64), common (int32), rank (int16, 0 nearest); pairs both ways."""
    likes = counted_likes(
        interactions, users, max_likes=max_likes, include_incomplete=include_incomplete, frames=frames
    )
    return ranked(scored(pairs(likes, min_common=min_common)), top=top)


def counted_likes(
    interactions: ir.Table, users: ir.Table, *, max_likes: int, include_incomplete: bool, frames: bool
) -> ir.Table:
    """Give user_id and item_id of the likes that count (rules 1 and 2, and 3 where there are `frames`)."""
    import ibis

    likes = interactions.filter(interactions.kind == "like", interactions.user_list_rank.notnull())
    if not include_incomplete:
        likes = likes.semi_join(users.filter(users.likes_list.isin(ENDED)), "user_id")
    place = ibis.row_number().over(group_by=likes.user_id, order_by=[likes.user_list_rank, likes.item_id])
    newest = likes.mutate(place=place).filter(lambda like: like.place < max_likes).select("user_id", "item_id")
    if not frames:
        return newest
    return newest.anti_join(interactions.filter(interactions.track_list_rank.notnull()), "item_id")


def pairs(likes: ir.Table, *, min_common: int) -> ir.Table:
    """Give each pair of items once, a below b, with the counts n_a, n_b and both.

    Items with fewer likers than a pair needs are left out before the likes are joined with themselves: that join grows
    with the square of each person's list, and most items have few likers.
    """
    degrees = likes.group_by("item_id").aggregate(n=likes.count()).filter(lambda item: item.n >= min_common)
    shared = likes.semi_join(degrees, "item_id")
    # Each side names its columns again. To swap names inside one SELECT (b AS a, a AS b) means one thing to one engine
    # and another to the next.
    left, right = shared.select("user_id", a=shared.item_id), shared.select(other_id=shared.user_id, b=shared.item_id)
    joined = left.join(right, [left.user_id == right.other_id, left.a < right.b])
    both = joined.group_by("a", "b").aggregate(both=joined.count()).filter(lambda pair: pair.both >= min_common)
    of_a, of_b = degrees.select(a=degrees.item_id, n_a=degrees.n), degrees.select(b=degrees.item_id, n_b=degrees.n)
    return both.join(of_a, "a").join(of_b, "b").select("a", "b", "both", "n_a", "n_b")


def scored(pairs: ir.Table) -> ir.Table:
    """Give source_id, target_id, measure, score and common; each pair both ways, each measure a row."""
    import ibis

    # float64 by name: to some engines a REAL or FLOAT has 32 bits.
    both, n_a, n_b = (pairs[name].cast("float64") for name in ("both", "n_a", "n_b"))
    measures = {"colike_cosine": both / (n_a * n_b).sqrt(), "colike_jaccard": both / (n_a + n_b - both)}
    return ibis.union(
        *(
            pairs.select(
                source_id=pairs[source],
                target_id=pairs[target],
                measure=ibis.literal(measure),
                score=rounded(score),
                common=pairs.both.cast("int32"),
            )
            for measure, score in measures.items()
            for source, target in (("a", "b"), ("b", "a"))
        )
    )


def rounded(score: ir.FloatingValue) -> ir.FloatingValue:
    """Round to twelve digits, a half to the even neighbour, as numpy does.

    Engines disagree about halves when they are asked to round, and one score in some ten thousand is so near to a half
    that it shows. Between 2^52 and 2^53 a float64 has no digits after the point: to go there and back rounds, and IEEE
    754 leaves no choice in how.
    """
    return (score * SHIFT + WHOLE - WHOLE) / SHIFT


def ranked(scores: ir.Table, *, top: int) -> ir.Table:
    """Keep the nearest of each item by each measure, with their place."""
    import ibis

    place = ibis.row_number().over(
        group_by=[scores.source_id, scores.measure], order_by=[scores.score.desc(), scores.target_id]
    )
    nearest = scores.mutate(rank=place).filter(lambda pair: pair["rank"] < top)
    return nearest.mutate(rank=nearest["rank"].cast("int16"))
