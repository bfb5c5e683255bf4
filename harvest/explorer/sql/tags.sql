-- Some tags of each track, those first that the file met first: (place among the ids, tag).
SELECT place, name FROM (
    SELECT wanted.key AS place, g.name, row_number() OVER (PARTITION BY wanted.key ORDER BY g.id) AS nth
    FROM json_each(:ids) AS wanted
    CROSS JOIN track_tags AS t ON t.track_id = wanted.value
    CROSS JOIN tags AS g ON g.id = t.tag_id
)
WHERE nth <= :most
ORDER BY place, nth;
