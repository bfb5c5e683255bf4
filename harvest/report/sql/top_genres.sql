-- The genres of what they like, under the spelling that is liked most; 'Hip-Hop' and 'hip hop' are one genre.
WITH spelled AS (
    SELECT
        genre AS name,
        replace(replace(replace(lower(genre), ' ', ''), '-', ''), '_', '') AS folded,
        count(*) AS tracks,
        sum(likes) AS likes,
        coalesce(sum(likes) FILTER (WHERE likes_count IS NOT NULL), 0) AS counted_likes,
        CAST(sum(1.0 * likes_count) AS INTEGER) AS likes_count
    FROM temp.heard
    WHERE NOT is_frame AND genre <> ''
    GROUP BY genre
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY folded ORDER BY likes DESC, name) AS place FROM spelled
)
SELECT
    max(name) FILTER (WHERE place = 1) AS name,
    sum(tracks) AS tracks,
    sum(likes) AS likes,
    sum(counted_likes) AS counted_likes,
    CAST(sum(1.0 * likes_count) AS INTEGER) AS likes_count,
    folded
FROM ranked
WHERE folded <> ''
GROUP BY folded
ORDER BY likes DESC, folded
LIMIT :rows;
