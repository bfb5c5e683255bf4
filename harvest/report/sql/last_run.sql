-- What the last run brought that fetched anything, by kind of list: so many lists and pages, and the entries kept of
-- them. No rows where it was the only one.
WITH last AS MATERIALIZED (
    SELECT run_id FROM pages ORDER BY id DESC LIMIT 1
)
SELECT k.title, count(DISTINCT p.task_id) AS lists, count(*) AS pages, sum(p.kept) AS kept
FROM pages AS p
CROSS JOIN tasks AS t ON t.id = p.task_id
CROSS JOIN list_kinds AS k ON k.kind = t.kind
WHERE p.run_id = (SELECT run_id FROM last) AND k.subject NOT IN ('seed', 'batch')
    AND EXISTS (SELECT 1 FROM pages WHERE run_id <> (SELECT run_id FROM last))
GROUP BY k.kind
ORDER BY kept DESC, k.kind;
