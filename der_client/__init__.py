"""DER client: discovery, scheduling, safety, devices and reporting. IEEE 2030.5-2018, CSIP."""
