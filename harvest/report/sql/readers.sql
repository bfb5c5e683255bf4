-- How many people had their likes read, in part or whole: the sample that everything is a share of.
SELECT count(*) FROM tasks WHERE kind = 'user_likes' AND pages_read > 0;
