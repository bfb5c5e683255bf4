-- What the shares of tracks, artists, genres and tags are shares of. The seeds, and the tracks a deeper level went
-- around, stand outside: all who are followed were found through them. Tracks without a count of SoundCloud's own cannot be compared with it.
SELECT
    count(*) AS tracks,
    coalesce(sum(likes), 0) AS likes,
    count(likes_count) AS counted_tracks,
    coalesce(sum(likes) FILTER (WHERE likes_count IS NOT NULL), 0) AS counted_likes,
    coalesce(CAST(sum(1.0 * likes_count) AS INTEGER), 0) AS likes_count,
    coalesce(max(likes), 0) AS most
FROM temp.heard
WHERE NOT is_frame;
