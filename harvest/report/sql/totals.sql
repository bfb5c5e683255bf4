-- What the file holds: one row that triggers keep, so nothing is counted.
SELECT users, tracks, likes, reposts, pages FROM totals;
