-- Requests by what came back; status 0: nothing did.
SELECT status, sum(n) AS n FROM run_requests GROUP BY status ORDER BY n DESC, status;
