-- Which communities are there, what do they like, and how good is the partition?
--
-- :of         tracks|people = tracks  what the communities consist of
-- :limit      integer = 20            maximum rows
--
-- As `harvest analyze` found them: tracks or people that are nearer to each other than to the rest, largest first.
-- `top` lists the three of its tracks that most people here like; for people, what most of them like. `genre` is the
-- most frequent genre of these tracks, on `of_genre` of those that have one. The last columns are the same in every
-- row: how much denser communities are inside than by chance, and how far partitions from other random seeds agree: see
-- docs/analysis.md.
WITH
wanted AS MATERIALIZED (
    SELECT d.id, p.modularity, p.rand, p.information
    FROM derivations AS d
    JOIN partitions AS p ON p.derivation_id = d.id
    WHERE d.method = CASE nullif(:of, '') WHEN 'people' THEN 'leiden_people' ELSE 'leiden_tracks' END
),
sizes AS MATERIALIZED (
    SELECT community, count(*) AS members
    FROM (
        SELECT community FROM track_communities WHERE derivation_id IN (SELECT id FROM wanted)
        UNION ALL
        SELECT community FROM user_communities WHERE derivation_id IN (SELECT id FROM wanted)
    )
    GROUP BY community
    ORDER BY community
    LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER)
),
liked AS MATERIALIZED (                             -- what each likes, and how many people here do
    SELECT c.community, c.track_id, count(*) AS likes
    FROM track_communities AS c
    CROSS JOIN user_engagements AS e ON e.track_id = c.track_id AND e.engagement_type = 'like'
    WHERE c.derivation_id IN (SELECT id FROM wanted) AND c.community IN (SELECT community FROM sizes)
    GROUP BY c.community, c.track_id
    UNION ALL
    SELECT c.community, e.track_id, count(*) AS likes
    FROM user_communities AS c
    CROSS JOIN user_engagements AS e ON e.user_id = c.user_id AND e.engagement_type = 'like'
    WHERE c.derivation_id IN (SELECT id FROM wanted) AND c.community IN (SELECT community FROM sizes)
        AND e.track_id NOT IN (SELECT track_id FROM frames WHERE counts)
    GROUP BY c.community, e.track_id
),
ranked AS (
    SELECT
        community, track_id, likes,
        row_number() OVER (PARTITION BY community ORDER BY likes DESC, track_id) AS place
    FROM liked
),
top AS (
    SELECT
        r.community,
        max(x.title) FILTER (WHERE r.place = 1)
            || coalesce(' · ' || max(x.title) FILTER (WHERE r.place = 2), '')
            || coalesce(' · ' || max(x.title) FILTER (WHERE r.place = 3), '') AS top
    FROM ranked AS r
    CROSS JOIN track_texts AS x ON x.track_id = r.track_id
    WHERE r.place <= 3
    GROUP BY r.community
),
genres AS (
    SELECT l.community, t.genre, count(*) AS tracks
    FROM liked AS l
    CROSS JOIN tracks AS t ON t.id = l.track_id
    WHERE t.genre <> ''
    GROUP BY l.community, t.genre
),
main_genre AS (
    SELECT
        community, genre, 1.0 * tracks / sum(tracks) OVER (PARTITION BY community) AS of_genre,
        row_number() OVER (PARTITION BY community ORDER BY tracks DESC, genre) AS place
    FROM genres
)
SELECT
    s.community,
    s.members,
    g.genre,
    round(g.of_genre, 3) AS of_genre,
    t.top,
    round(w.modularity, 4) AS modularity,
    round(w.rand, 4) AS rand,
    round(w.information, 4) AS information
FROM sizes AS s
CROSS JOIN wanted AS w
LEFT JOIN main_genre AS g ON g.community = s.community AND g.place = 1
LEFT JOIN top AS t ON t.community = s.community
ORDER BY s.community;
