-- Which tags appear together on tracks more often than by chance?
--
-- :tag       tag = all               only pairs with this tag, in any spelling
-- :at_least  integer = 2             minimum number of tracks per pair
-- :order     tracks|lift = tracks    sort order
-- :limit     integer = 20            maximum rows
--
-- Tags are folded: 'hip hop', 'Hip-Hop' and 'hiphop' are one. `lift` is the number of tracks with both tags divided by
-- the number expected if tags fell on the tagged tracks of this file independently. The tracks are those liked by the
-- people followed; they do not represent all tracks.
WITH
given AS (
    SELECT
        -- `harvest sql` folds it; elsewhere as some tag here of this spelling, or as far as SQL can: a to z
        coalesce(
            (SELECT folded FROM tags WHERE name = nullif(:tag, 'all')),
            lower(replace(replace(replace(nullif(nullif(:tag, ''), 'all'), ' ', ''), '-', ''), '_', ''))
        ) AS tag,
        CAST(coalesce(nullif(:at_least, ''), 2) AS INTEGER) AS at_least
),
worn AS MATERIALIZED (                              -- every folded tag of a track, once
    SELECT DISTINCT c.track_id, g.folded FROM track_tags AS c JOIN tags AS g ON g.id = c.tag_id
),
worn_by AS MATERIALIZED (
    SELECT folded, count(*) AS tracks FROM worn GROUP BY folded
),
pairs AS MATERIALIZED (
    SELECT a.folded AS tag, b.folded AS other, count(*) AS tracks
    FROM worn AS a JOIN worn AS b ON b.track_id = a.track_id
        AND CASE WHEN (SELECT tag FROM given) IS NULL THEN a.folded < b.folded ELSE a.folded <> b.folded END
    WHERE (SELECT tag FROM given) IS NULL OR a.folded = (SELECT tag FROM given)
    GROUP BY a.folded, b.folded
    HAVING count(*) >= (SELECT at_least FROM given)
)
SELECT
    p.tag,
    p.other,
    p.tracks,
    a.tracks AS with_tag,
    b.tracks AS with_other,
    round(1.0 * p.tracks * (SELECT count(DISTINCT track_id) FROM worn) / a.tracks / b.tracks, 2) AS lift
FROM pairs AS p
JOIN worn_by AS a ON a.folded = p.tag
JOIN worn_by AS b ON b.folded = p.other
ORDER BY CASE nullif(:order, '') WHEN 'lift' THEN lift ELSE p.tracks END DESC, p.tracks DESC, p.tag, p.other
LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER);
