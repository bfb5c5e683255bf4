-- Which tracks does each person not like? Drawn at random, for training and testing recommenders.
--
-- :per_user  integer = 5             maximum tracks drawn per person
-- :seed      integer = 0             a different number draws different tracks
--
-- Only people whose list of likes is complete take part (outcome 'complete'). If a list was cut by a cap, ended short,
-- looped or failed, what the person does not like is unknown. 'complete' tolerates a small gap against the count on the
-- profile, so a few likes may still be missing. Tracks that the person likes or reposted according to any list are left
-- out. The draw is from all tracks with a like here, with equal probability; popular ones are not drawn more often.
--
-- The draw is arithmetic on the numbers of person and track, without randomness and hash functions: the same people,
-- tracks and seed give the same rows in every file, on every machine. A person who likes nearly everything may get
-- fewer rows.
WITH RECURSIVE
given AS (
    SELECT
        CAST(coalesce(nullif(:per_user, ''), 5) AS INTEGER) AS per_user,
        abs(CAST(coalesce(nullif(:seed, ''), 0) AS INTEGER) % 2147483647) AS seed
),
catalogue AS MATERIALIZED (
    SELECT t.id AS track_id, row_number() OVER (ORDER BY t.id) - 1 AS place
    FROM tracks AS t
    WHERE EXISTS (SELECT 1 FROM user_engagements AS e WHERE e.track_id = t.id AND e.engagement_type = 'like')
),
size AS MATERIALIZED (
    SELECT count(*) AS n FROM catalogue
),
people AS MATERIALIZED (
    SELECT subject_id AS user_id FROM tasks
    WHERE kind = 'user_likes' AND outcome = 'complete' AND collected > 0
),
tries (try) AS (
    SELECT 1 UNION ALL SELECT try + 1 FROM tries WHERE try < (SELECT 3 * per_user + 20 FROM given)
),
-- Three rounds of mixing modulo the prime 2^31 - 1; no product exceeds 63 bits.
mixed_once AS (
    SELECT p.user_id, r.try, (p.user_id % 2147483647 * 16807 + given.seed * 48271 + r.try * 69621 + 1) % 2147483647 AS x
    FROM people AS p CROSS JOIN given CROSS JOIN tries AS r
),
mixed_twice AS (
    SELECT user_id, try, (x * x % 2147483647 + x * 40014 + 12345) % 2147483647 AS x FROM mixed_once
),
lots AS (
    SELECT user_id, try, (x * x % 2147483647 + x * 40692 + 54321) % 2147483647 % (SELECT n FROM size) AS place
    FROM mixed_twice
),
drawn AS (
    SELECT l.user_id, c.track_id, min(l.try) AS try
    FROM lots AS l
    CROSS JOIN catalogue AS c ON c.place = l.place
    WHERE NOT EXISTS (SELECT 1 FROM user_engagements AS e WHERE e.user_id = l.user_id AND e.track_id = c.track_id)
    GROUP BY l.user_id, c.track_id
),
placed AS (
    SELECT user_id, track_id, row_number() OVER (PARTITION BY user_id ORDER BY try) AS draw FROM drawn
)
SELECT user_id, draw, track_id
FROM placed
WHERE draw <= (SELECT per_user FROM given)
ORDER BY user_id, draw;
