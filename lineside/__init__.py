"""The front door: the command line, configuration files and the demonstration."""
