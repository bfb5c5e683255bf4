"""What the made-up SoundCloud answers."""
