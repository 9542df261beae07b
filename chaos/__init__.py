"""What must hold while parts of a running server are killed under load; `make chaos` runs it."""
