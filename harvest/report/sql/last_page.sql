-- When the newest page was fetched: pages are numbered in the order in which they were kept.
SELECT fetched_at FROM pages ORDER BY id DESC LIMIT 1;
