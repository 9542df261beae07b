"""`lineside ven`: an OpenADR VEN whose events become controls on a 2030.5 server, as a program that runs."""
