"""The configuration file that `lineside client init` writes; every setting stands in it with its default."""

import json
import re
from collections.abc import Mapping
from typing import Final

SETTING: Final = re.compile(r"(?P<off># )?(?P<key>\w+) = (?P<value>[^#]*?)(?P<rest>\s*(?:#.*)?)$")
TEMPLATE: Final = """\
# Lineside DER client. Relative paths are taken from the folder of this file.
spool = "client.sqlite"
profile = "csip"                            # or "base", "csip_aus" and its versions

[server]
uri = "https://der.example.org:443/dcap"   # DeviceCapability
certificate = "cert.pem"                    # own chain, root left out
key = "key.pem"
roots = "root.pem"
# pin = 111115                              # registration PIN with its check digit
strict_ciphers = false
timeout_s = 20.0
poll_floor_s = 1.0
retry_first_s = 1.0
retry_most_s = 300.0
lost_after_s = 900.0
dns_sd = []                                 # addresses of interfaces where servers are looked for

[[devices]]                                 # one table for each; more: `lineside device kinds`
kind = "sunspec"                            # or "battery": with a BMS on CAN
name = "der"
host = "127.0.0.1"
port = 502
unit = 1
# end_device = "LFDI"                       # the EndDevice that it stands for, where that is not this client

[control]
period_s = 1.0
reversion_s = 60
readback_limit = 3
retry_s = 300.0
unavailable_after_s = 3.0
plan_wait_s = 30.0

[report]
post_rate_s = 300
pen = 40732
device_category = 0
demand_response = false
details = false                             # apparent power, current, voltage of each phase are posted too
# other_program_before_start = 7            # 7 or 14; absent: by the profile
# other_program_after_start = 7

[meter]                                     # the SunSpec meter of the site; none while host is empty
host = ""
port = 502
unit = 1
positive = "import"                         # or "export": what its positive power means

[price]                                     # storage by tariff; off while no threshold is set
# charge_below = 0.10                       # currency per kWh
# discharge_above = 0.40
charge_pct = 100.0
discharge_pct = 100.0

[load_control]                              # EndDeviceControls: how much storage may take in
is_on = false

[reservation]                               # flow reservation of each day; off while energy_wh is 0
energy_wh = 0.0                             # positive: to charge
power_w = 0.0
daily_at_utc = "22:00"
window_s = 28800
ahead_s = 3600

[safety]
reserve_pct = 10.0
full_pct = 100.0
derate_band_pct = 5.0
hysteresis_pct = 2.0
dead_band_pct = 1.0
reversal_s = 2.0
bms_stale_s = 3.0
bms_lost_s = 10.0
# server_lost_max_w = 1500.0                # limit while the server is lost

[registration]
in_band = false

[subscription]
# host = "listener.example.com"             # our listener as the server reaches it; absent: polling alone
port = 8443
bind = ""
# outer_port = 443                          # where the server is told another port than ours
limit = 255
renew_s = 43200.0
again_s = 60.0
safety_poll_s = 900.0
keep = true
notifiers = []
"""


def template_with(values: Mapping[str, str | int]) -> str:
    """The template with some settings put in, by their dotted names; those of the device as `devices.name`.

    KeyError for a name that does not stand in it.
    """
    left, place, lines = dict(values), "", []
    for line in TEMPLATE.splitlines():
        place = f"{line.split(']')[0].strip('[')}." if line.startswith("[") else place
        found = SETTING.match(line)
        name = f"{place}{found['key']}" if found else ""
        if found and name in left:
            lines.append(f"{found['key']} = {json.dumps(left.pop(name))}{found['rest']}")
        else:
            lines.append(line)
    if left:
        raise KeyError(next(iter(left)))
    return "\n".join(lines) + "\n"
