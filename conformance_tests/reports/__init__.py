"""What a run says: to the terminal while it goes on, and to files."""
