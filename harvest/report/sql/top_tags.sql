-- The tags of what they like, spellings brought together by `tags.folded`. A track that carries a tag in two spellings
-- counts once.
WITH tagged AS (
    SELECT DISTINCT g.folded, h.track_id, h.likes, h.likes_count
    FROM temp.heard AS h
    CROSS JOIN track_tags AS tt ON tt.track_id = h.track_id
    CROSS JOIN tags AS g ON g.id = tt.tag_id
    WHERE NOT h.is_frame AND g.folded <> ''
)
SELECT
    folded AS name,
    count(*) AS tracks,
    sum(likes) AS likes,
    coalesce(sum(likes) FILTER (WHERE likes_count IS NOT NULL), 0) AS counted_likes,
    CAST(sum(1.0 * likes_count) AS INTEGER) AS likes_count,
    folded
FROM tagged
GROUP BY folded
ORDER BY likes DESC, folded
LIMIT :rows;
