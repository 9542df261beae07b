"""Everything that the operator API does: method, path, name in the audit log, and who does it."""

from typing import Final

from sep2_server.operator import (
    configuration,
    controls,
    curves,
    defaults,
    devices,
    enrolment,
    groups,
    rates,
    readings,
    reports,
)
from sep2_server.operator.router import Operation

_DEVICES: Final = (
    Operation("GET", "/devices", "list devices", devices.list_devices, query=("after", "limit")),
    Operation("POST", "/devices", "enrol device", enrolment.enrol),
    Operation("GET", "/devices/{device}", "show device", devices.show_device),
    Operation("DELETE", "/devices/{device}", "remove device", enrolment.remove),
    Operation("PUT", "/devices/{device}/rates", "set post rate", enrolment.set_post_rate),
    Operation("GET", "/devices/{device}/readings", "read readings", readings.latest),
    Operation(
        "GET",
        "/devices/{device}/readings/{reading}",
        "read series",
        readings.series,
        query=("after", "limit"),
    ),
    Operation("GET", "/devices/{device}/configuration", "show configuration", configuration.show),
    Operation("PUT", "/devices/{device}/configuration", "set configuration", configuration.change),
    Operation("DELETE", "/devices/{device}/configuration", "withdraw configuration", configuration.withdraw),
    Operation("GET", "/devices/{device}/logevents", "read log events", reports.log_events, query=("limit",)),
)
_GROUPS: Final = (
    Operation("GET", "/groups", "list groups", groups.list_groups),
    Operation("POST", "/groups", "create group", groups.create),
    Operation("GET", "/groups/{group}", "show group", groups.show),
    Operation("DELETE", "/groups/{group}", "delete group", groups.delete),
    Operation("GET", "/groups/{group}/devices", "list members", groups.list_members),
    Operation("PUT", "/groups/{group}/devices/{device}", "add to group", groups.add_member),
    Operation("DELETE", "/groups/{group}/devices/{device}", "remove from group", groups.remove_member),
    Operation("GET", "/groups/{group}/programs", "list programs", groups.list_programs),
    Operation("POST", "/groups/{group}/programs", "add program", groups.add_program),
    Operation("GET", "/programs", "list programs", groups.list_programs),
    Operation("GET", "/groups/{group}/default", "show default", defaults.show, query=("program",)),
    Operation("PATCH", "/groups/{group}/default", "change default", defaults.change, query=("program",)),
    Operation("GET", "/groups/{group}/curves", "list curves", curves.list_curves),
    Operation("POST", "/groups/{group}/curves", "add curve", curves.add, query=("program",)),
    Operation("DELETE", "/curves/{curve}", "remove curve", curves.remove),
)
_LISTING: Final = ("state", "limit", "responses")
_CONTROLS: Final = (
    Operation("GET", "/controls", "list controls", controls.list_controls, query=_LISTING),
    Operation("GET", "/groups/{group}/controls", "list controls", controls.list_controls, query=_LISTING),
    Operation("POST", "/groups/{group}/controls", "publish control", controls.publish, query=("program",)),
    Operation("GET", "/controls/{control}", "show control", controls.show),
    Operation("PATCH", "/controls/{control}", "change control", controls.change),
    Operation("POST", "/controls/{control}/cancel", "cancel control", controls.cancel),
    Operation(
        "GET", "/controls/{control}/responses", "read responses", reports.responses, query=("device", "limit")
    ),
)
_SERVER: Final = (
    Operation("GET", "/status", "show status", rates.status),
    Operation("GET", "/rates", "show poll rates", rates.show),
    Operation("PUT", "/rates", "set poll rates", rates.change),
)
OPERATIONS: Final[tuple[Operation, ...]] = (*_DEVICES, *_GROUPS, *_CONTROLS, *_SERVER)
