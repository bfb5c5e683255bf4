-- Which tags are on the most tracks?
--
-- :limit  integer = 20               maximum rows
--
-- Tags are folded: 'hip hop', 'Hip-Hop' and 'hiphop' are one; `written` is the most frequent spelling. The tracks are
-- those the people followed like, each counted once.
WITH
spelled AS MATERIALIZED (
    SELECT g.folded, g.name, count(*) AS tracks
    FROM tags AS g CROSS JOIN track_tags AS c ON c.tag_id = g.id
    GROUP BY g.id
),
folded AS MATERIALIZED (
    SELECT g.folded, count(DISTINCT c.track_id) AS tracks
    FROM tags AS g CROSS JOIN track_tags AS c ON c.tag_id = g.id
    GROUP BY g.folded
    ORDER BY tracks DESC, g.folded
    LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER)
)
SELECT
    f.folded AS tag,
    (SELECT s.name FROM spelled AS s WHERE s.folded = f.folded ORDER BY s.tracks DESC, s.name LIMIT 1) AS written,
    f.tracks,
    (SELECT count(*) FROM tags AS g WHERE g.folded = f.folded) AS spellings
FROM folded AS f
ORDER BY f.tracks DESC, f.folded;
