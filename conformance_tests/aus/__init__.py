"""The CSIP-AUS (SA TS 5573) conformance procedures as values, and who plays them on either side."""
