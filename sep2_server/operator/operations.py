"""Everything that the operator API does: method, path, name in the audit log, who does it, in and out."""

from typing import Final

from sep2_server.operator import (
    answers as a,
)
from sep2_server.operator import answers_network as n
from sep2_server.operator import answers_rights as g
from sep2_server.operator import (
    applying,
    assigning,
    bulk,
    cancelling,
    changed,
    configuration,
    controls,
    curves,
    defaults,
    device_changes,
    devices,
    enrolment,
    forgetting,
    groups,
    network,
    rates,
    readings,
    reports,
    rights,
    tokens,
)
from sep2_server.operator import requests as r
from sep2_server.operator.audit_chain import FILTERS
from sep2_server.operator.auth import Role
from sep2_server.operator.operations_accounts import ACCOUNTS
from sep2_server.operator.operations_events import EVENTS
from sep2_server.operator.operations_notifications import NOTIFICATIONS
from sep2_server.operator.operations_resources import RESOURCES
from sep2_server.operator.router import Operation

_ADMIN: Final = Role.ADMIN
_PAGE: Final = ("after", "limit")
_OF_PROGRAM: Final = ("program",)
_DEVICES: Final = (
    Operation("GET", "/devices", "list devices", devices.list_devices, query=_PAGE, answer=a.Devices),
    Operation(
        "POST", "/devices", "enrol device", enrolment.enrol, body=r.EnrolDevice, answer=a.EnrolledDevice
    ),
    Operation("GET", "/devices/{device}", "show device", devices.show_device, answer=a.ShownDevice),
    Operation(
        "DELETE",
        "/devices/{device}",
        "remove device",
        enrolment.remove,
        query=("managed", "if_exists"),
        answer=a.RemovedDevice,
        role=_ADMIN,
    ),
    Operation(
        "PUT",
        "/devices/{device}",
        "ensure device",
        device_changes.ensure,
        body=r.EnsureDevice,
        answer=a.EnsuredDevice,
    ),
    Operation(
        "PATCH",
        "/devices/{device}",
        "change device",
        device_changes.change,
        body=r.ChangeDevice,
        answer=a.EnsuredDevice,
    ),
    Operation(
        "POST",
        "/devices/{device}/forget",
        "forget reports",
        forgetting.forget,
        body=r.Forget,
        answer=a.Forgotten,
        role=_ADMIN,
    ),
    Operation(
        "PUT",
        "/devices/{device}/groups/{group}",
        "ensure assignment",
        assigning.ensure,
        body=r.EnsureAssignment,
        answer=a.Assigned,
    ),
    Operation(
        "PUT",
        "/devices/{device}/rates",
        "set post rate",
        enrolment.set_post_rate,
        body=r.SetPostRate,
        answer=a.PostRate,
    ),
    Operation("GET", "/devices/{device}/readings", "read readings", readings.latest, answer=a.Readings),
    Operation(
        "GET",
        "/devices/{device}/readings/{reading}",
        "read series",
        readings.series,
        query=_PAGE,
        answer=a.SeriesValues,
    ),
    Operation(
        "GET",
        "/devices/{device}/logevents",
        "read log events",
        reports.log_events,
        query=("limit",),
        answer=a.LogEvents,
    ),
    Operation(
        "GET",
        "/devices/{device}/configuration",
        "show configuration",
        configuration.show,
        answer=a.Configuration,
    ),
    Operation(
        "PUT",
        "/devices/{device}/configuration",
        "set configuration",
        configuration.change,
        body=dict,
        answer=a.Configuration,
    ),
    Operation(
        "DELETE",
        "/devices/{device}/configuration",
        "withdraw configuration",
        configuration.withdraw,
        answer=a.WithdrawnConfiguration,
    ),
)
_GROUPS: Final = (
    Operation("GET", "/groups", "list groups", groups.list_groups, query=_PAGE, answer=a.Groups),
    Operation("POST", "/groups", "create group", groups.create, body=r.CreateGroup, answer=a.Group),
    Operation("GET", "/groups/{group}", "show group", groups.show, answer=a.Group),
    Operation("DELETE", "/groups/{group}", "delete group", groups.delete, answer=a.Named),
    Operation(
        "GET", "/groups/{group}/devices", "list members", groups.list_members, query=_PAGE, answer=a.Members
    ),
    Operation("PUT", "/groups/{group}/devices/{device}", "add to group", groups.add_member, answer=a.Added),
    Operation(
        "DELETE",
        "/groups/{group}/devices/{device}",
        "remove from group",
        groups.remove_member,
        answer=a.TakenOut,
    ),
    Operation("GET", "/groups/{group}/programs", "list programs", groups.list_programs, answer=a.Programs),
    Operation(
        "POST",
        "/groups/{group}/programs",
        "add program",
        groups.add_program,
        body=r.AddProgram,
        answer=a.Program,
    ),
    Operation(
        "PATCH",
        "/groups/{group}/programs/{program}",
        "change program",
        assigning.change,
        body=r.ChangeProgram,
        answer=a.Program,
    ),
    Operation("GET", "/programs", "list programs", groups.list_programs, query=_PAGE, answer=a.Programs),
    Operation(
        "GET", "/groups/{group}/default", "show default", defaults.show, query=_OF_PROGRAM, answer=a.Default
    ),
    Operation(
        "PATCH",
        "/groups/{group}/default",
        "change default",
        defaults.change,
        query=_OF_PROGRAM,
        body=dict,
        answer=a.Default,
    ),
    Operation(
        "DELETE",
        "/groups/{group}/default",
        "clear default",
        defaults.clear,
        query=_OF_PROGRAM,
        answer=a.Default,
    ),
    Operation("GET", "/groups/{group}/curves", "list curves", curves.list_curves, answer=a.Curves),
    Operation(
        "POST",
        "/groups/{group}/curves",
        "add curve",
        curves.add,
        query=_OF_PROGRAM,
        body=dict,
        answer=a.Curve,
    ),
    Operation("DELETE", "/curves/{curve}", "remove curve", curves.remove, answer=a.Mrid),
)
_NETWORK: Final = (
    Operation(
        "POST",
        "/devices/bulk",
        "enrol devices",
        bulk.enrol_many,
        query=("dry_run", "keep_going"),
        body=list[r.EnrolDevice],
        answer=n.BulkEnrolment,
    ),
    Operation(
        "POST",
        "/controls/bulk",
        "publish controls",
        bulk.publish_many,
        query=("dry_run", "keep_going"),
        body=list[r.BulkControl],
        answer=n.BulkControls,
    ),
    Operation(
        "POST",
        "/groups/{group}/devices",
        "change members",
        bulk.change_members,
        body=r.ChangeMembers,
        answer=n.ChangedMembers,
    ),
    Operation(
        "GET",
        "/devices/{device}/programs",
        "show programs",
        applying.programs_of,
        answer=n.DevicePrograms,
    ),
    Operation(
        "PUT", "/devices/{device}/place", "place device", network.place, body=r.PlaceDevice, answer=n.Placed
    ),
    Operation("DELETE", "/devices/{device}/place", "unplace device", network.unplace, answer=n.Placed),
    Operation("GET", "/tree", "show network", network.tree, query=("under", "depth"), answer=n.Tree),
)
_LISTING: Final = ("state", "limit", "responses")
_CONTROLS: Final = (
    Operation(
        "GET",
        "/controls",
        "list controls",
        controls.list_controls,
        query=("after", *_LISTING),
        answer=a.Controls,
    ),
    Operation(
        "GET",
        "/groups/{group}/controls",
        "list controls",
        controls.list_controls,
        query=_LISTING,
        answer=a.Controls,
    ),
    Operation(
        "POST",
        "/groups/{group}/controls",
        "publish control",
        controls.publish,
        query=_OF_PROGRAM,
        body=r.PublishControl,
        answer=a.Control,
    ),
    Operation(
        "POST",
        "/controls/cancel",
        "cancel controls",
        cancelling.cancel_many,
        body=r.CancelControls,
        answer=a.Cancelled,
    ),
    Operation("GET", "/controls/{control}", "show control", controls.show, answer=a.ShownControl),
    Operation(
        "PATCH",
        "/controls/{control}",
        "change control",
        controls.change,
        body=r.ChangeControl,
        answer=a.ChangedControl,
    ),
    Operation(
        "POST",
        "/controls/{control}/cancel",
        "cancel control",
        controls.cancel,
        body=r.CancelControl,
        answer=a.Control,
    ),
    Operation(
        "GET",
        "/controls/{control}/responses",
        "read responses",
        reports.responses,
        query=("device", *_PAGE),
        answer=a.Responses,
    ),
)
_SERVER: Final = (
    Operation("GET", "/status", "show status", rates.status, answer=a.Status),
    Operation("GET", "/changes", "list changes", changed.changes, query=("after", "limit"), answer=a.Changes),
    Operation("GET", "/rates", "show rates", rates.show, answer=a.Rates),
    Operation("PUT", "/rates", "set rates", rates.change, body=r.SetRates, answer=a.Rates, role=_ADMIN),
    Operation("GET", "/settings", "show settings", rights.show_settings, answer=g.Settings),
    Operation(
        "PUT",
        "/settings",
        "set settings",
        rights.change_settings,
        body=r.ChangeSettings,
        answer=g.Settings,
        role=_ADMIN,
    ),
    Operation("DELETE", "/settings", "reset settings", rights.reset_settings, answer=g.Settings, role=_ADMIN),
    Operation("GET", "/blocked", "list blocked", rights.list_blocked, answer=g.Blocked),
    Operation(
        "POST",
        "/blocked",
        "block certificate",
        rights.block,
        body=r.BlockCertificate,
        answer=g.BlockedCertificate,
        role=_ADMIN,
    ),
    Operation(
        "DELETE", "/blocked/{lfdi}", "unblock certificate", rights.unblock, answer=g.Unblocked, role=_ADMIN
    ),
    Operation("GET", "/tokens", "list tokens", tokens.list_tokens, answer=g.Tokens, role=_ADMIN),
    Operation(
        "POST",
        "/tokens",
        "create token",
        tokens.create,
        body=r.CreateToken,
        answer=g.NewToken,
        role=_ADMIN,
        keyless="a name has one token, and no answer with a secret is kept",
        is_beside_store=True,
    ),
    Operation(
        "DELETE",
        "/tokens/{token}",
        "revoke token",
        tokens.revoke,
        answer=a.Named,
        role=_ADMIN,
        keyless="tokens are in a file beside the database",
        is_beside_store=True,
    ),
    Operation(
        "GET",
        "/audit",
        "read audit log",
        tokens.read_audit,
        query=("before", "limit", *FILTERS),
        answer=g.Audit,
        role=_ADMIN,
    ),
)
OPERATIONS: Final[tuple[Operation, ...]] = (
    *_DEVICES,
    *ACCOUNTS,
    *_GROUPS,
    *_NETWORK,
    *_CONTROLS,
    *EVENTS,
    *NOTIFICATIONS,
    *RESOURCES,
    *_SERVER,
)
