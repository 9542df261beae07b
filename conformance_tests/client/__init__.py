"""Cases for a DER client and an aggregator, and the scripted server that plays them."""
