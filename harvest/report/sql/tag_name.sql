-- The spelling of a tag that stands on most tracks; looked up for the few tags that are shown.
SELECT g.name
FROM tags AS g
WHERE g.folded = :folded
ORDER BY (SELECT count(*) FROM track_tags AS tt WHERE tt.tag_id = g.id) DESC, g.name
LIMIT 1;
