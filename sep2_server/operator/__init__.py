"""The operator's side of the server: an API on its own port, its credentials and its audit log."""
