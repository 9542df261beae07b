"""Resources that the standard knows and gives no URI to, and those of extensions."""

from dataclasses import replace
from typing import Final

from function_sets import ROUTES, Access, Methods, Route
from schemas import (
    BillingReadingSet,
    BillingReadingSetList,
    Configuration,
    DeviceInformation,
    DeviceStatus,
    File,
    MirrorMeterReading,
    Reading,
    ReadingType,
    UsagePoint,
    csip_aus,
)

PROGRAM_KINDS: Final = (
    "DERProgram",
    "DemandResponseProgram",
    "TariffProfile",
    "MessagingProgram",
    "CustomerAccount",
    "Prepayment",
    "File",
)
"""What a group assigns to its members: each with all that hangs below it."""
GROUP_LIST: Final = "GroupDERProgramList"
"""The DERProgramList of one group, which its members' FunctionSetAssignments link to."""
LATEST_READING: Final = "LatestReading"
"""The Reading of a MeterReading that is in no ReadingSet."""
UPDATE_TIMES: Final = "MirrorUpdateTimes"
"""When a device last posted a MirrorMeterReading and will next. For operators."""
ASSOCIATED: Final = "AssociatedUsagePoint"
"""The UsagePoint of a DER; its row holds the UsagePoint as it was, whose `href` is asked for what it is."""
METERED: Final = "UtilityMeter"
"""What marks a UsagePoint that the operator made: no device mirrors into it. For operators."""
COMBINED_INTERVALS: Final = "CombinedTimeTariffIntervalList"
"""The intervals of all RateComponents of a TariffProfile. CSIP-AUS v1.3."""
CONNECTION_POINT: Final = "ConnectionPoint"
FILE_CONTENT: Final = "FileContent"
"""The octets of a File; their row holds SHA-256 and size."""
REPORTED_CONFIGURATION: Final = "ReportedConfiguration"
"""What a device says of its Configuration while the operator wants something else. For operators."""
SELF_INFORMATION: Final = "SelfDeviceInformation"
SELF_STATUS: Final = "SelfDeviceStatus"
_BILL_READINGS: Final = {"ProjectionReading": "pro", "TargetReading": "tar", "HistoricalReading": "ver"}


def group_list_of(kind: str) -> str:
    """Id of the list that shows the programs of a kind which one group has."""
    return f"Group{kind}List"


def _of_groups() -> list[Route]:
    """The lists of programs that a FunctionSetAssignments links to. IEEE 2030.5-2018, 11."""
    homes = [ROUTES[f"{kind}List"] for kind in PROGRAM_KINDS]
    return [
        replace(home, id=f"Group{home.id}", path=f"/fsa/{{id1}}{home.path}", methods=Methods("MMEEE"))
        for home in homes
    ]


def _of_bills() -> list[Route]:
    """What the readings of a bill link to: their type, and their sets out of all sets. 10.7."""
    found = []
    for kind, segment in _BILL_READINGS.items():
        path = f"/bill/{{id1}}/ca/{{id2}}/{segment}/{{id3}}"
        found += [
            Route(
                id=f"{kind}Type",
                path=f"{path}/rt",
                type=ReadingType,
                methods=Methods("MMEEE"),
                access=Access.ASSIGNED,
            ),
            Route(
                id=f"{kind}SetList",
                path=f"{path}/brs",
                type=BillingReadingSetList,
                item=BillingReadingSet,
                methods=Methods("MMEEE"),
                access=Access.ASSIGNED,
                order=ROUTES["BillingReadingSetList"].order,
                after=ROUTES["BillingReadingSetList"].after,
            ),
        ]
    return found


EXTRA_ROUTES: Final[dict[str, Route]] = {
    route.id: route
    for route in (
        *_of_groups(),
        *_of_bills(),
        Route(
            id="RateComponentReadingType",
            path="/tp/{id1}/rc/{id2}/rt",
            type=ReadingType,
            methods=Methods("MMEEE"),
            access=Access.ASSIGNED,
        ),
        replace(
            ROUTES["ActiveTimeTariffIntervalList"],
            id=COMBINED_INTERVALS,
            path="/tp/{id1}/ctti",
            view_of="RateComponentList",
        ),
        Route(
            id=LATEST_READING,
            path="/upt/{id1}/mr/{id2}/r",
            type=Reading,
            methods=Methods("MMEEE"),
            access=Access.OWNER,
        ),
        Route(
            id=FILE_CONTENT,
            path="/file/{id1}/content",
            type=File,
            methods=Methods("MMEEE"),
            access=Access.ASSIGNED,
        ),
        Route(
            id=REPORTED_CONFIGURATION,
            path="/edev/{id1}/cfg/reported",
            type=Configuration,
            methods=Methods("MMEEE"),
            access=Access.OPERATOR,
        ),
        Route(
            id=UPDATE_TIMES,
            path="/upt/{id1}/mr/{id2}/times",
            type=MirrorMeterReading,
            methods=Methods("MMEEE"),
            access=Access.OPERATOR,
        ),
        Route(
            id=METERED,
            path="/upt/{id1}/utility",
            type=UsagePoint,
            methods=Methods("MMEEE"),
            access=Access.OPERATOR,
        ),
        Route(
            id=SELF_INFORMATION,
            path="/sdev/di",
            type=DeviceInformation,
            methods=Methods("MMEEE"),
            access=Access.PUBLIC,
        ),
        Route(
            id=SELF_STATUS,
            path="/sdev/dstat",
            type=DeviceStatus,
            methods=Methods("MMEEE"),
            access=Access.PUBLIC,
        ),
        Route(
            id=CONNECTION_POINT,
            path="/edev/{id1}/cp",
            type=csip_aus.ConnectionPoint,
            methods=Methods("MMMME"),
            access=Access.OWNER,
            writes=frozenset({"PUT", "POST"}),
            accepts=(csip_aus.ConnectionPoint,),
        ),
    )
}
GROUP_LISTS: Final = frozenset(map(group_list_of, PROGRAM_KINDS))
"""Lists of the programs of one group."""
HOME_OF: Final = {group_list_of(kind): f"{kind}List" for kind in PROGRAM_KINDS}
"""By the list of a group, the list at the root that holds the programs of all groups."""
MEMBER_LISTS: Final = frozenset({*GROUP_LISTS, *(f"{kind}SetList" for kind in _BILL_READINGS)})
"""Lists whose items are stored in another list."""
DEVICE_PROGRAMS: Final = "AssociatedDERProgramList"
"""The list of a DER that shows the DERPrograms of all groups which its EndDevice is in."""
MEMBER_KINDS: Final = frozenset({*PROGRAM_KINDS, "BillingReadingSet"})
"""Resources that lists show beside the one in which they are stored."""
