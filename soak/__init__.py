"""What takes minutes and thousands of connections. `make soak` runs it; results are in `docs/soak.md`."""
