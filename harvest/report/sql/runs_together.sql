-- All runs together.
SELECT
    count(*) AS runs,
    min(started_at) AS first_at,
    count(DISTINCT api_url) AS services,
    max(api_url) AS api_url,
    coalesce(sum(waited_ms), 0) AS waited_ms
FROM runs;
