"""The machine we run on: clock, processes, logs, redaction."""
