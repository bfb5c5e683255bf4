-- Which tracks appear among people's newest likes more often than among their older ones?
--
-- :newest    integer = 20            how many likes of each person count as new
-- :at_least  integer = 3             minimum number of people with a new like
-- :limit     integer = 20            maximum rows
--
-- SoundCloud returns no times of likes: the newest are the first in people's own lists, and one person's newest may be
-- older than another's oldest. This counts people with more likes here than `newest`, so that each has both kinds. Of
-- the N likes that are new, a are of the track; of the M older ones, b. `times` is (a / N) / ((b + 0.5) / (M + 1));
-- half a like is added so that a track without older likes has a number too. `z` is how sure that is: with p = (a + b)
-- / (N + M), it is (a / N - b / M) / sqrt(p (1 - p) (1 / N + 1 / M)), and rows are sorted by it. Above 2, a single
-- track is hardly there by accident, but of a thousand tracks some twenty are. Tracks people were chosen for (view
-- frames) are left out.
WITH
given AS (
    SELECT
        CAST(coalesce(nullif(:newest, ''), 20) AS INTEGER) AS newest,
        CAST(coalesce(nullif(:at_least, ''), 3) AS INTEGER) AS at_least
),
framed AS MATERIALIZED (
    SELECT track_id FROM frames WHERE counts
),
placed AS MATERIALIZED (
    SELECT
        e.track_id,
        row_number() OVER (PARTITION BY e.user_id ORDER BY e.user_list_rank, e.track_id) <= (SELECT newest FROM given)
            AS is_new
    FROM tasks AS l
    CROSS JOIN user_engagements AS e ON e.user_id = l.subject_id
    WHERE l.kind = 'user_likes' AND l.collected > (SELECT newest FROM given)
        AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
),
likes AS MATERIALIZED (
    SELECT track_id, total(is_new) AS new_likes, total(NOT is_new) AS older_likes
    FROM placed
    WHERE track_id NOT IN (SELECT track_id FROM framed)
    GROUP BY track_id
),
every AS MATERIALIZED (
    SELECT sum(new_likes) AS new_likes, sum(older_likes) AS older_likes FROM likes
),
scored AS MATERIALIZED (
    SELECT
        l.*,
        l.new_likes / n.new_likes AS share,
        l.older_likes / n.older_likes AS share_before,
        (l.older_likes + 0.5) / (n.older_likes + 1) AS share_expected,
        (l.new_likes + l.older_likes) / (n.new_likes + n.older_likes) AS both,
        1 / n.new_likes + 1 / n.older_likes AS spread
    FROM likes AS l CROSS JOIN every AS n
    WHERE l.new_likes >= (SELECT at_least FROM given)
),
found AS MATERIALIZED (
    SELECT *, (share - share_before) / sqrt(both * (1 - both) * spread) AS z
    FROM scored
    WHERE share > share_before
    ORDER BY z DESC, track_id
    LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER)
)
SELECT
    f.track_id,
    x.title,
    x.artist,
    CAST(f.new_likes AS INTEGER) AS new_likes,
    CAST(f.older_likes AS INTEGER) AS older_likes,
    round(f.share / f.share_expected, 2) AS times,
    round(f.z, 2) AS z,
    t.created_at,
    t.permalink_url
FROM found AS f
CROSS JOIN tracks AS t ON t.id = f.track_id
CROSS JOIN track_texts AS x ON x.track_id = f.track_id
ORDER BY f.z DESC, f.track_id;
