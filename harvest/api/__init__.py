"""What we ask SoundCloud and what it answers; no word of the API travels past this room."""
