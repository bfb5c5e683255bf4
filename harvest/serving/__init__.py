"""Look at a file in the browser: datasette with everything it can know about the file."""
