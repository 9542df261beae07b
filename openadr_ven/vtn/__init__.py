"""VTNs for tests and demos: they follow the profile, and misbehave on command."""
