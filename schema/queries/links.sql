-- Where else on the web is a person to be found?
--
-- :user   user = longest             whose links; without a name, the person with the most
-- :limit  integer = 50               rows at most
--
-- As they stand on the person's page, in its order. A plain crawl reads none: --read +links does.
SELECT w.user_list_rank AS rank, w.service, w.title, w.username, w.url, u.username AS of, u.permalink_url
FROM web_profiles AS w
CROSS JOIN users AS u ON u.id = w.user_id
WHERE w.user_id = coalesce(
    CAST(nullif(:user, '') AS INTEGER),
    (
        SELECT subject_id FROM tasks WHERE kind = 'user_links' AND collected > 0
        ORDER BY collected DESC, subject_id LIMIT 1
    )
)
ORDER BY w.user_list_rank IS NULL, w.user_list_rank, w.id
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
