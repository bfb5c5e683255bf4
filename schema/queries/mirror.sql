-- How much do SoundCloud's related tracks and station share with what the fans of a track like?
--
-- :track    track = seed             the track; without a seed track, the one with the most related ones
-- :nearest  integer = 50             how many of the tracks its fans like count as near
--
-- Near are the tracks that its fans here like, by cosine: fans in common, against the likes that SoundCloud counts.
-- Only people whose own list of likes was read are included. `co_liked` counts SoundCloud's tracks that any fan likes,
-- `near` those among the nearest, `share` is that of the most it could be. `tracks` is 0 if the list was not read: use
-- --read +related, or crawl the station as a seed.
WITH
given AS (
    SELECT coalesce(
        CAST(nullif(:track, '') AS INTEGER),
        (SELECT thing_id FROM seeds WHERE thing = 'track' ORDER BY id LIMIT 1),
        (
            SELECT subject_id FROM tasks WHERE kind = 'track_related' AND collected > 0
            ORDER BY collected DESC, subject_id LIMIT 1
        )
    ) AS track_id
),
theirs (source, track_id) AS MATERIALIZED (
    SELECT 'related', r.related_track_id
    FROM given AS g
    CROSS JOIN related_tracks AS r ON r.track_id = g.track_id AND r.method = 'soundcloud'
    UNION
    SELECT 'station', s.track_id
    FROM given AS g
    CROSS JOIN tracks AS t ON t.id = g.track_id
    CROSS JOIN stations AS n ON n.urn = t.station_urn
    CROSS JOIN station_tracks AS s ON s.station_id = n.id AND s.track_id <> g.track_id
),
fans AS MATERIALIZED (
    SELECT e.user_id FROM given AS g
    CROSS JOIN user_engagements AS e ON e.track_id = g.track_id AND e.engagement_type = 'like'
    WHERE EXISTS (SELECT 1 FROM theirs)              -- of nothing nothing is shared
),
ours AS MATERIALIZED (
    SELECT e.track_id, count(*) AS common
    FROM fans AS f
    CROSS JOIN user_engagements AS e ON e.user_id = f.user_id AND e.engagement_type = 'like'
    WHERE e.user_list_rank IS NOT NULL AND e.track_id <> (SELECT track_id FROM given)
    GROUP BY e.track_id
),
nearest AS MATERIALIZED (
    SELECT o.track_id
    FROM ours AS o
    CROSS JOIN tracks AS t ON t.id = o.track_id
    ORDER BY o.common / sqrt(max(coalesce(t.likes_count, 0), o.common)) DESC, o.track_id
    LIMIT CAST(coalesce(nullif(:nearest, ''), 50) AS INTEGER)
),
counted AS (
    SELECT
        x.source,
        count(h.track_id) AS tracks,
        count(o.track_id) AS co_liked,
        count(n.track_id) AS near
    FROM (SELECT 'related' AS source UNION ALL SELECT 'station') AS x
    LEFT JOIN theirs AS h ON h.source = x.source
    LEFT JOIN ours AS o ON o.track_id = h.track_id
    LEFT JOIN nearest AS n ON n.track_id = h.track_id
    GROUP BY x.source
)
SELECT
    source,
    tracks,
    co_liked,
    near,
    round(1.0 * near / nullif(min(tracks, (SELECT count(*) FROM nearest)), 0), 3) AS share
FROM counted
ORDER BY source;
