"""A harvest without its content, to be handed on and filled again by others, from SoundCloud."""
