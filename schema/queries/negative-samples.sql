-- Which tracks does each person not like? Drawn by lot, for training and testing recommenders.
--
-- :per_user  integer = 5             tracks drawn for each person, at most
-- :seed      integer = 0             another number draws other tracks
--
-- Only people whose list of likes is whole take part (outcome 'complete'): of somebody whose list was cut by a cap,
-- ended short, went in circles or failed, nobody knows what they do not like. 'complete' forgives a small gap against
-- the count on the profile, so a few of the likes may still be missing. Left out are tracks the person likes or
-- reposted, as far as any list tells. Drawn from are all tracks that somebody here likes, with the same chance each;
-- popular ones are not drawn more often.
--
-- The lots are arithmetic on the numbers of person and track, without chance and without hash functions: the same
-- people, tracks and seed give the same rows in every file, on every machine. A person who likes nearly everything may
-- get fewer rows.
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
