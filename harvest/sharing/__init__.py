"""A harvest without its content, to be handed on and filled again by whoever asks the service."""
