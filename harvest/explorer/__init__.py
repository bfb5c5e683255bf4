"""A page to pan, search and click through: which tracks are near each other, and why."""
