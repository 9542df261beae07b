"""DeviceCapability and FunctionSetAssignments: where a client starts and what it is assigned."""

from dataclasses import field
from typing import Annotated

from schemas.fields import Attr, Default, resource
from schemas.links import (
    DERProgramListLink,
    EndDeviceListLink,
    FileListLink,
    ResponseSetListLink,
    SelfDeviceLink,
    TimeLink,
)
from schemas.links_metering import (
    CustomerAccountListLink,
    DemandResponseProgramListLink,
    MessagingProgramListLink,
    MirrorUsagePointListLink,
    PrepaymentListLink,
    TariffProfileListLink,
    UsagePointListLink,
)
from schemas.resources import Resource, SubscribableList
from schemas.types import PollRate, String32, SubscribableType, VersionType, mRIDType


@resource
class FunctionSetAssignmentsBase(Resource):
    """Links to the function sets that a device shall use."""

    CustomerAccountListLink_: CustomerAccountListLink | None = None
    DemandResponseProgramListLink_: DemandResponseProgramListLink | None = None
    DERProgramListLink_: DERProgramListLink | None = None
    FileListLink_: FileListLink | None = None
    MessagingProgramListLink_: MessagingProgramListLink | None = None
    PrepaymentListLink_: PrepaymentListLink | None = None
    ResponseSetListLink_: ResponseSetListLink | None = None
    TariffProfileListLink_: TariffProfileListLink | None = None
    TimeLink_: TimeLink | None = None
    UsagePointListLink_: UsagePointListLink | None = None


@resource
class FunctionSetAssignments(FunctionSetAssignmentsBase):
    """One assignment of function sets to a device; a client uses all that it is assigned."""

    subscribable: Attr[Annotated[SubscribableType, Default(0)]] | None = None
    mRID: mRIDType
    description: String32 | None = None
    version: VersionType | None = None


@resource
class FunctionSetAssignmentsList(SubscribableList):
    """Page of the FunctionSetAssignments of one device."""

    pollRate: Attr[PollRate] | None = None
    FunctionSetAssignments_: list[FunctionSetAssignments] = field(default_factory=list)


@resource
class DeviceCapability(FunctionSetAssignmentsBase):
    """Where a client starts: links to everything that the server offers."""

    pollRate: Attr[PollRate] | None = None
    EndDeviceListLink_: EndDeviceListLink | None = None
    MirrorUsagePointListLink_: MirrorUsagePointListLink | None = None
    SelfDeviceLink_: SelfDeviceLink | None = None
