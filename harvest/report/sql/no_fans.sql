-- Empty it for the next seed.
DELETE FROM temp.fans;
