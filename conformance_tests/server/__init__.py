"""Cases for a server, and what they are played with."""
