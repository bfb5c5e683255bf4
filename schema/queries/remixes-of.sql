-- Which remixes, edits and other versions of a track are there, by their titles?
--
-- :track  track = seed               the track; without a seed track, the one with the longest list of likers
-- :limit  integer = 50               maximum rows
--
-- The name in a title is what comes before the first bracket, and after the first ' - ' if there is one. This finds
-- tracks whose titles contain all words of that name, one after the other, and also a word for the kind of version.
-- Tracks that merely share the words are found too, most of all if the name is short: check `artist` and `title`.
-- Tracks with another name, or with the kind of version only in their tags, are not found. The most liked come first.
WITH
one AS MATERIALIZED (
    SELECT t.id AS track_id, t.title
    FROM tracks AS t
    WHERE t.id = coalesce(
        CAST(nullif(:track, '') AS INTEGER),
        (SELECT thing_id FROM seeds WHERE thing = 'track' ORDER BY id LIMIT 1),
        (
            SELECT subject_id FROM tasks WHERE kind = 'track_likers' AND collected > 0
            ORDER BY collected DESC, subject_id LIMIT 1
        )
    )
),
unbracketed AS MATERIALIZED (
    SELECT track_id, trim(substr(
        title,
        1,
        min(coalesce(nullif(instr(title, '('), 0), 1000), coalesce(nullif(instr(title, '['), 0), 1000)) - 1
    )) AS title
    FROM one
),
named AS MATERIALIZED (
    SELECT track_id, trim(iif(instr(title, ' - ') > 0, substr(title, instr(title, ' - ') + 3), title)) AS name
    FROM unbracketed
),
found AS MATERIALIZED (
    SELECT s.rowid AS track_id
    FROM track_search AS s
    -- Within double quotes there are words and nothing else.
    WHERE s.track_search MATCH
        (SELECT 'title : "' || replace(printf('%s', nullif(name, '')), '"', ' ') || '"' FROM named)
        AND s.rowid <> (SELECT track_id FROM named)
),
said (place, word, version) AS (                    -- the first of these words that a title has
    VALUES
    (1, 'remix', 'remix'), (2, 'rmx', 'remix'), (3, 'refix', 'remix'), (4, 'rework', 'rework'),
    (5, 'bootleg', 'bootleg'), (6, 'flip', 'flip'), (7, 'edit', 'edit'), (8, 'mashup', 'mashup'),
    (9, 'mash up', 'mashup'), (10, 'cover', 'cover'), (11, 'vip', 'vip'), (12, 'dub', 'dub'),
    (13, 'instrumental', 'instrumental'), (14, 'acoustic', 'acoustic'), (15, 'live', 'live'),
    (16, 'extended', 'extended'), (17, 'slowed', 'slowed'), (18, 'sped up', 'sped up'),
    (19, 'remaster', 'remaster')
),
versions AS MATERIALIZED (
    SELECT
        f.track_id,
        (
            SELECT w.version FROM said AS w
            WHERE ' ' || replace(replace(replace(lower(t.title), '(', ' '), '[', ' '), '-', ' ')
                LIKE '% ' || w.word || '%'
            ORDER BY w.place LIMIT 1
        ) AS version
    FROM found AS f CROSS JOIN tracks AS t ON t.id = f.track_id
)
SELECT
    v.track_id,
    v.version,
    x.title,
    x.artist,
    t.likes_count,
    t.permalink_url
FROM versions AS v
CROSS JOIN tracks AS t ON t.id = v.track_id
CROSS JOIN track_texts AS x ON x.track_id = v.track_id
WHERE v.version IS NOT NULL
ORDER BY t.likes_count DESC NULLS LAST, v.track_id
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
