"""Asking: one file that sends, and what is tried again."""
