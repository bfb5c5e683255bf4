"""Who exists, who did what, and when: a made-up SoundCloud, the same for the same seed."""
