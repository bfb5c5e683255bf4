"""What we keep: one SQLite file."""
