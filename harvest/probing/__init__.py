"""What the service answers today, beside what we read and what is officially described: only shapes, no one's data."""
