"""The wire: a real local port, real sockets."""
