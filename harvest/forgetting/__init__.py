"""Forget people, tracks and playlists for good: no row, no byte, and no later page that brings them back."""
