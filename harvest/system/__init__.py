"""The machine we run on: clock, processes, files, logs, redaction."""
