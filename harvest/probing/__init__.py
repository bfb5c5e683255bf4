"""What the service answers today, beside what we read and what is officially described: shapes alone, of nobody."""
