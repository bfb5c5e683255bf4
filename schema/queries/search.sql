-- Which tracks have these words in title, artist or tags?
--
-- :words  words                      one or more words; a track must have all of them
-- :limit  integer = 20               maximum rows
--
-- Case and accents do not matter. A word that ends in * matches all words that begin with it. 'hip-hop' finds 'hip
-- hop', and 'hiphop' finds tags with either spelling. No other syntax is special: quotes, brackets and words such as
-- AND are searched as they are. Tracks with the most likes, as SoundCloud counts them, come first. In languages without
-- blanks between words, search for the beginning of a title with *.
WITH found AS MATERIALIZED (
    SELECT s.rowid AS track_id
    FROM track_search AS s
    -- Every word is put in double quotes, so that it is a word and nothing else; printf ends the text at a NUL.
    WHERE s.track_search MATCH
        replace('"' || replace(replace(printf('%s', :words), '"', ' '), ' ', '" "') || '"', '*"', '"*')
),
top AS MATERIALIZED (
    SELECT f.track_id, t.likes_count
    FROM found AS f CROSS JOIN tracks AS t ON t.id = f.track_id
    ORDER BY t.likes_count DESC NULLS LAST, f.track_id
    LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER)
)
SELECT
    p.track_id,
    x.title,
    x.artist,
    (
        SELECT group_concat(g.name, ', ') FROM track_tags AS c JOIN tags AS g ON g.id = c.tag_id
        WHERE c.track_id = p.track_id
    ) AS tags,
    p.likes_count,
    t.permalink_url
FROM top AS p
CROSS JOIN tracks AS t ON t.id = p.track_id
CROSS JOIN track_texts AS x ON x.track_id = p.track_id
ORDER BY p.likes_count DESC NULLS LAST, p.track_id;
