"""Derive every claim of the file again from its rows."""
