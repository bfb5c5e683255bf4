"""Hand the graph on: files that notebooks, recommenders and graph programs read, with a manifest of what they hold."""
