"""Which likes count, as SQL.

What counts is what stands in people's own lists: a list that the service itself ended (`complete`, `short`), and of it
the newest likes by rank. A like that is known from a track's list alone does not count, or the seed would be liked by
people with no other known likes. With :incomplete, lists that were cut or broke off count as far as they were read.
"""

from __future__ import annotations

# Whose list counts. Outcomes `complete` and `short` are the service's own end of a list; with :incomplete, whatever was
# read counts. The unique key of `tasks` gives them in the order of users.
WHOSE = """
SELECT subject_id FROM lists
WHERE kind = 'user_likes' AND (outcome IN ('complete', 'short') OR (:incomplete AND collected > 0))
ORDER BY subject_id
"""

# Their likes, a row per person, in the order of the table's key: nothing is sorted, and SQLite finds likes faster than
# Python takes a row for each. A like with a rank was read from the list, so here a list that is not whole counts
# without a look at how much of it was read.
LIKES = """
SELECT l.subject_id, count(*), json_group_array(e.track_id), json_group_array(e.user_list_rank)
FROM tasks AS l
CROSS JOIN user_engagements AS e ON e.user_id = l.subject_id
WHERE l.kind = 'user_likes' AND (l.outcome IN ('complete', 'short') OR :incomplete)
    AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
GROUP BY l.subject_id
ORDER BY l.subject_id
"""

# Tracks for which people were chosen, as far as :which (one of methods.FRAMINGS) takes them for frames.
FRAMES = """
SELECT DISTINCT track_id FROM frames
WHERE CASE :which WHEN 'all' THEN 1 WHEN 'seeds' THEN is_seed WHEN 'none' THEN 0 ELSE counts END
ORDER BY track_id
"""

# The lists that do not count, by outcome or state.
LEFT_OUT = """
SELECT outcome, count(*) FROM lists
WHERE kind = 'user_likes' AND NOT (outcome IN ('complete', 'short') OR (:incomplete AND collected > 0))
GROUP BY 1 ORDER BY 2 DESC, 1
"""

# For those with longer lists, the rank from which on their likes do not count. Others have no row.
LONG_LISTS = """
    SELECT l.subject_id AS user_id, (
        SELECT e.user_list_rank FROM user_engagements AS e
        WHERE e.user_id = l.subject_id AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
        ORDER BY e.user_list_rank LIMIT 1 OFFSET :newest
    ) AS from_rank
    FROM lists AS l
    WHERE l.kind = 'user_likes' AND l.collected > :newest
"""
