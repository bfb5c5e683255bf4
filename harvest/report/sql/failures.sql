-- What went wrong, by kind of list and reason. Messages are left out: they name the person whose list it was.
SELECT
    k.title,
    f.class,
    f.status,
    coalesce(t.outcome, r.state) AS outcome,
    f.retryable,
    f.resolved_at IS NOT NULL AS resolved,
    count(DISTINCT f.task_id) AS lists,
    sum(f.attempts) AS attempts,
    min(f.first_at) AS first_at,
    max(f.last_at) AS last_at
FROM failures AS f
JOIN tasks AS t ON t.id = f.task_id
JOIN readings AS r ON r.task_id = t.id AND r.number = t.reading
JOIN list_kinds AS k ON k.kind = t.kind
GROUP BY t.kind, f.class, f.status, coalesce(t.outcome, r.state), f.retryable, f.resolved_at IS NOT NULL
ORDER BY resolved, lists DESC, t.kind, f.class, f.status, outcome, f.retryable;
