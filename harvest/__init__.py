"""Collect the likes and reposts around a SoundCloud track into SQLite."""

__version__ = "0.1.0"
