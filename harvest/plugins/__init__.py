"""Parts of other people: what they may offer, how they are found, and where they may write."""
