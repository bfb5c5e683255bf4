-- The tracks that the lists of a seed name: what a person made, likes or reposts, what a playlist or a station holds,
-- what a search found. A track has no list of tracks.
SELECT track_id FROM user_engagements WHERE :thing = 'user' AND user_id = :thing_id
UNION SELECT id FROM tracks WHERE :thing = 'user' AND uploader_id = :thing_id
UNION SELECT track_id FROM playlist_tracks WHERE :thing = 'playlist' AND playlist_id = :thing_id
UNION SELECT track_id FROM station_tracks WHERE :thing = 'station' AND station_id = :thing_id
UNION SELECT thing_id FROM search_results WHERE :thing = 'search_for_tracks' AND search_id = :thing_id
ORDER BY 1;
