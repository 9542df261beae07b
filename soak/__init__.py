"""What takes minutes: `make soak` runs it."""
