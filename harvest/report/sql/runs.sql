-- Every process that crawled into the file, newest first, with the requests it sent. Of a run that was killed, the last
-- page tells how far it came.
SELECT
    r.id,
    r.started_at,
    r.ended_at,
    r.version,
    r.api_url,
    r.credential_kind,
    r.stop_reason,
    r.waited_ms,
    (SELECT coalesce(sum(n), 0) FROM run_requests AS q WHERE q.run_id = r.id) AS requests
FROM runs AS r
ORDER BY r.id DESC
LIMIT :rows;
