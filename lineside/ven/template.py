"""The settings file that `lineside ven init` writes."""

from typing import Final

TEMPLATE: Final = """\
# Lineside VEN. Relative paths are taken from the folder of this file.
name = "site 1"                             # the VEN's name at the VTN
state = "state"                             # folder of what survives a crash
pen = 40732                                 # of the mRIDs that are made

[vtn]
profile = "2.0b"                            # or "3.0.1", "3.1.0"
url = "https://vtn.example.org:8443"
certificate = "cert.pem"                    # own chain, root left out
key = "key.pem"
roots = "vtn-roots.pem"
# fingerprint = "01:23:45:67:89:AB:CD:EF:01:23"   # the VTN's certificate must have it
strict_ciphers = false                      # TLS 1.2 and the two suites of 2.0b alone
is_signed = false                           # 2.0b: XML signatures, both ways
# signers = []                              # fingerprints of who may sign; none: who is connected
# client_id = "ven-1"                       # 3.x: OAuth2 client credentials, in place of a certificate
# client_secret_file = "client.secret"
# scope = ""
# token_url = "https://vtn.example.org/auth/token"   # for a VTN that does not tell it
# is_mqtt = false                           # 3.1.0: notifications by MQTT
poll_s = 10.0                               # 2.0b: where the VTN asks for no pace

# [vtn.webhook]                             # 3.x: what the VTN calls, and where we listen behind a proxy
# url = "https://ven.example.org/hook"
# host = "127.0.0.1"
# port = 8445

[server]                                    # the operator API of the 2030.5 server
url = "https://127.0.0.1:8444"
token_file = "operator.token"
# roots = "root.pem"                        # absent: those of the system
look_s = 60.0                               # how often readings and Responses are read
retry_most_s = 60.0

[[resources]]                               # names that the VTN uses; one without a table is a plain name
name = "battery"
device_classes = ["Storage"]
targets = []                                # groups, locations, targets of 3.1.0

[[devices]]                                 # one for each EndDevice
resource = "battery"
name = "battery-1"                          # its name on the server
group = "battery-1"                         # the group there that reaches it and nothing else
kind = "storage"                            # generation, generation with storage, electric vehicle, EVSE,
                                            # thermostat, load, site
# lfdi = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
# site = ""                                 # the connection point that it shares with others
envelope = "csip"                           # or "csip-aus"
max_w = 5000
max_charge_w = 5000
max_discharge_w = 5000
max_wh = 10000

# [[groups]]                                # a group of the server that reaches these and nothing else:
# name = "all"                              # what is the same for all of them is published to it once
# devices = ["battery-1", "battery-2"]

[[programmes]]                              # events of other programmes are refused
market_context = "http://example.org/dr"    # 3.x: the id of the program
name = "Demand response"
primacy = 5
target_mode = "opModTargetW"                # or "opModFixedW"
is_split = true                             # set points and limits are for all resources together
# currency = 978                            # ISO 4217, of prices that name none
# base_price = 0.30                         # per kWh: what priceRelative and priceMultiplier start from
# base_demand_charge = 9.5                  # per kW: the same for DEMAND_CHARGE
# curve = "opModVoltVar"                    # 3.x: what a CURVE is; or opModVoltWatt, opModWattPF,
                                            # opModWattVar, opModFreqWatt
# pf_side = "absorbing"                     # of opModWattPF; or "injecting"
# offset_per_level = 10                     # tenths of a degree for each step of a level offset
# thermal = "both"                          # which set point of thermostats; "cooling", "heating"
# temperature_unit = "Celsius"              # of temperatures; or "Fahrenheit": it is not on the wire
# horizon_s = 86400                         # of what has no end so much is published at a time
# alert_levels = { ALERT_GRID_EMERGENCY = 2 }
# fallback_export_w = 5000
# fallback_import_w = 5000

# [[programmes.levels]]                     # what level 1 of SIMPLE asks; without rows 75, 50, 0 % of loads
# level = 1                                 # and no charging; a row replaces that, an empty one asks nothing
# duty_pct = 75                             # loads: share of the time that they may run, %
# charge_share = 0.5                        # storage: most of its charge rate, 0 to 1

# [[programmes.levels]]
# level = 2
# kind = "thermostat"                       # for this kind of device alone, or
# offset_tenths = 20                        # thermostats: tenths of a degree

# [[programmes.levels]]
# level = 3
# resource = "battery"                      # for this resource alone
# dispatch = -1.0                           # DERs: -1 full discharge to 1 full charge

# [[programmes.levels]]
# signal = "LOAD_DISPATCH level"            # "LOAD_CONTROL x-loadControlLevelOffset", "CONTROL_SETPOINT",
# level = -10                               # "DISPATCH_INSTRUCTION": nothing is done without a row for it
# reduction_w = 1000                        # loads: less by so many W
"""
