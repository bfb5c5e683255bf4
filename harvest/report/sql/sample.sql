-- All who are listed around one seed track, once per person: chosen or not, what came of it, and how many likes their
-- profiles claim on average, which is known of most, asked or not. Whose list another seed has cut is not censored here.
SELECT
    chosen,
    answer,
    chosen AND coalesce(censored, 0) AS censored,
    count(*) AS people,
    avg(likes_given_count) AS mean_claimed,
    count(likes_given_count) AS claims,
    min(chance) AS least_chance,
    max(chance) AS most_chance,
    count(chance) AS with_chance,
    count(*) FILTER (WHERE chance < 1) AS by_lot
FROM sample
WHERE harvest_id = :harvest AND track_id = :track AND once
GROUP BY chosen, answer, chosen AND coalesce(censored, 0)
ORDER BY chosen DESC, answer, 3;
