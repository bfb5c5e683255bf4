"""What can go wrong with a service, on demand."""
