"""An OpenADR VEN: events of a utility, 2.0b or 3.x, in one neutral model, and as IEEE 2030.5 controls."""
