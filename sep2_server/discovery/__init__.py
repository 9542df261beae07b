"""Discovery of the server on its own network by DNS-SD. IEEE 2030.5-2018, 7; facts 8."""
