"""When a request may go: one pace for all processes with the same credentials."""
