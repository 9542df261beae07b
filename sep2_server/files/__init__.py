"""Files for devices: their octets on disk, who may load them, and the sending of ranges of them.

IEEE 2030.5-2018, 10 (File Download).
"""
