"""Ask a file in SQL: queries that have a name, and any other."""
