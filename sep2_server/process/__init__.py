"""The server as processes of an operating system: listener, workers, signals, health, metrics and logs."""
