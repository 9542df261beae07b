"""Everything that the operator API does: method, path, name in the audit log, and who does it."""

from typing import Final

from sep2_server.operator import devices, enrolment, readings, reports
from sep2_server.operator.router import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path="/devices",
        action="list devices",
        run=devices.list_devices,
        query=("after", "limit"),
    ),
    Operation(method="POST", path="/devices", action="enrol", run=enrolment.enrol),
    Operation(method="GET", path="/devices/{device}", action="show device", run=devices.show_device),
    Operation(method="DELETE", path="/devices/{device}", action="remove device", run=enrolment.remove),
    Operation(
        method="PUT", path="/devices/{device}/rates", action="set post rate", run=enrolment.set_post_rate
    ),
    Operation(method="GET", path="/devices/{device}/readings", action="read readings", run=readings.latest),
    Operation(
        method="GET",
        path="/devices/{device}/readings/{reading}",
        action="read series",
        run=readings.series,
        query=("after", "limit"),
    ),
    Operation(
        method="GET",
        path="/devices/{device}/logevents",
        action="read log events",
        run=reports.log_events,
        query=("limit",),
    ),
)
