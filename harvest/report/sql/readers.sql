-- How many people had their likes read, in part or whole: the sample that everything is a share of.
SELECT
    (SELECT count(*) FROM tasks WHERE kind = 'user_likes' AND outcome IS NOT NULL AND pages_read > 0)
    + (
        SELECT count(*)
        FROM readings AS r JOIN tasks AS t ON t.id = r.task_id AND t.reading = r.number AND t.outcome IS NULL
        WHERE r.state <> 'ended' AND r.kind = 'user_likes' AND r.pages_read > 0
    );
