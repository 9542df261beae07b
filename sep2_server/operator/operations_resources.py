"""What the operator API does with resources of any function set."""

from typing import Final

from sep2_server.operator import answers_resources as ar
from sep2_server.operator import ensuring, meter_import, resources
from sep2_server.operator import requests as r
from sep2_server.operator import requests_events as re
from sep2_server.operator.requests_metering import MeterRow
from sep2_server.operator.router import Operation

_HREF: Final = ("href",)
_BULK: Final = ("dry_run", "keep_going")
RESOURCES: Final = (
    Operation(
        "GET",
        "/resources",
        "show resource",
        resources.show,
        query=("href", "start", "limit"),
        answer=ar.FoundResource,
    ),
    Operation(
        "POST",
        "/resources",
        "add resource",
        resources.add,
        query=("href", "group"),
        body=dict,
        answer=ar.AnyResource,
        takes_documents=True,
    ),
    Operation(
        "POST",
        "/resources/bulk",
        "ensure resources",
        ensuring.ensure_many,
        query=_BULK,
        body=list[re.EnsureResource],
        answer=ar.EnsuredResources,
    ),
    Operation(
        "PUT",
        "/resources",
        "change resource",
        resources.change,
        query=_HREF,
        body=dict,
        answer=ar.AnyResource,
        takes_documents=True,
    ),
    Operation(
        "DELETE",
        "/resources",
        "remove resource",
        resources.delete,
        query=("href", "force"),
        answer=ar.Place,
    ),
    Operation(
        "POST",
        "/resources/cancel",
        "cancel event",
        resources.cancel,
        query=_HREF,
        body=r.CancelControl,
        answer=ar.AnyResource,
    ),
    Operation(
        "POST",
        "/events/cancel/bulk",
        "cancel events",
        ensuring.end_many,
        query=_BULK,
        body=list[re.EndEvent],
        answer=ar.EndedEvents,
    ),
    Operation(
        "POST",
        "/defaults/bulk",
        "change defaults",
        ensuring.change_defaults,
        query=_BULK,
        body=list[re.ChangeDefault],
        answer=ar.ChangedDefaults,
    ),
    Operation(
        "GET",
        "/resources/responses",
        "read responses",
        resources.responses,
        query=("href", "after", "limit"),
        answer=ar.EventResponses,
    ),
    Operation(
        "POST",
        "/meters/readings",
        "import meter data",
        meter_import.import_rows,
        query=("dry_run",),
        body=list[MeterRow],
        answer=ar.ImportedReadings,
    ),
    Operation(
        "GET",
        "/groups/{group}/resources",
        "list assigned",
        resources.list_assigned,
        answer=ar.AssignedResources,
    ),
    Operation(
        "PUT",
        "/groups/{group}/resources",
        "assign program",
        resources.assign,
        query=_HREF,
        answer=ar.Shared,
    ),
    Operation(
        "DELETE",
        "/groups/{group}/resources",
        "unassign program",
        resources.unassign,
        query=_HREF,
        answer=ar.Shared,
    ),
)
