"""What a harvest of a made-up SoundCloud must find, told from the written rules alone."""
