-- Which tables and views are there, and what are their columns?
--
-- schema/README.md explains each of them.
SELECT t.name, t.type, group_concat(c.name, ', ') AS columns
FROM pragma_table_list AS t
JOIN pragma_table_xinfo(t.name) AS c ON c.hidden <> 1
WHERE t.schema = 'main' AND t.type <> 'shadow' AND substr(t.name, 1, 7) <> 'sqlite_'
GROUP BY t.name
ORDER BY t.type, t.name;
