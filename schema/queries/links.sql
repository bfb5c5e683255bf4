-- Where else on the web can you find a person?
--
-- :user    user = longest            the person; by default the one with the most links
-- :emails  no|yes = no               include e-mail addresses
-- :limit   integer = 50              maximum rows
--
-- First the links on the person's page, in its order, if they were read: a plain crawl reads none; use --read +links.
-- Then the addresses the person wrote into descriptions of tracks, playlists and the profile, and purchase links, each
-- once; `found_in` is where it was found first. An address is a word that begins with http://, https:// or www.,
-- without punctuation behind it. E-mail addresses reach a person directly: they are left out, also within other
-- addresses, unless emails=yes. Profile descriptions are stored only with --profiles full.
WITH
one AS MATERIALIZED (
    SELECT coalesce(
        CAST(nullif(:user, '') AS INTEGER),
        (
            SELECT subject_id FROM tasks WHERE kind = 'user_links' AND collected > 0
            ORDER BY collected DESC, subject_id LIMIT 1
        ),
        (
            SELECT t.uploader_id FROM seeds AS s CROSS JOIN tracks AS t ON t.id = s.thing_id
            WHERE s.thing = 'track' ORDER BY s.id LIMIT 1
        )
    ) AS user_id
),
texts (place, found_in, id, text) AS (
    SELECT 1, 'profile', u.id, u.description FROM one CROSS JOIN users AS u ON u.id = one.user_id
    UNION ALL
    SELECT 2, 'purchase link', t.id, t.purchase_url
    FROM one CROSS JOIN tracks AS t ON t.uploader_id = one.user_id
    UNION ALL
    SELECT 3, 'track', t.id, t.description FROM one CROSS JOIN tracks AS t ON t.uploader_id = one.user_id
    UNION ALL
    SELECT 4, 'playlist', p.id, p.description FROM one CROSS JOIN playlists AS p ON p.owner_id = one.user_id
),
-- Whatever may stand around an address becomes a blank; the words become a list in JSON, and that becomes rows.
spaced AS (
    SELECT place, found_in, id, replace(replace(replace(replace(replace(replace(replace(replace(replace(
        text, char(10), ' '), char(13), ' '), char(9), ' '), '<', ' '), '>', ' '), '(', ' '), ')', ' '), '"', ' '),
        char(160), ' ') AS text
    FROM texts
    WHERE text LIKE '%http%' OR text LIKE '%www.%' OR text LIKE '%@%'
),
words AS (
    SELECT s.place, s.found_in, s.id, w.key AS nth, rtrim(w.value, '.,;:!?]}*''') AS word
    FROM spaced AS s CROSS JOIN json_each('[' || replace(json_quote(s.text), ' ', '","') || ']') AS w
),
told AS (
    SELECT
        w.*,
        CASE
            WHEN word LIKE 'http://_%' OR word LIKE 'https://_%' THEN word
            WHEN word LIKE 'www._%' THEN 'https://' || word
            WHEN word LIKE '%_@_%._%' AND word NOT LIKE '%/%' THEN
                'mailto:' || substr(word, 1 + 7 * (lower(word) LIKE 'mailto:%'))
        END AS url
    FROM words AS w
),
judged AS (
    SELECT
        t.*,
        url LIKE 'mailto:%'
        OR instr(substr(url, instr(url, '://') + 3, instr(substr(url, instr(url, '://') + 3) || '/', '/')), '@') > 0
        OR instr(url, '?') > 0 AND (
            instr(substr(url, instr(url, '?')), '@') > 0 OR lower(substr(url, instr(url, '?'))) LIKE '%\%40%' ESCAPE '\'
        ) AS is_email
    FROM told AS t
    WHERE url IS NOT NULL
),
written AS (
    SELECT url, found_in, min(place * 1e15 + id) AS place, nth
    FROM judged
    WHERE NOT is_email OR :emails = 'yes'
    GROUP BY url
)
SELECT l.rank, l.service, l.title, l.username, l.url, u.username AS of, u.permalink_url, l.found_in
FROM (
    SELECT
        w.user_list_rank AS rank, w.service, w.title, w.username, w.url, 'links' AS found_in,
        w.user_list_rank IS NULL AS place, w.user_list_rank AS second, w.id AS third
    FROM one CROSS JOIN web_profiles AS w ON w.user_id = one.user_id
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, url, found_in, place, nth, 0 FROM written
) AS l
CROSS JOIN users AS u ON u.id = (SELECT user_id FROM one)
ORDER BY l.place, l.second, l.third
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
