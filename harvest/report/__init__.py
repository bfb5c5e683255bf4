"""One HTML page about a file: what was harvested, how complete it is, what stands out."""
