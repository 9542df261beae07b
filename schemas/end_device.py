"""EndDevice, SelfDevice, Registration and DeviceStatus."""

from dataclasses import field
from typing import Annotated

from schemas import codes as c
from schemas.fields import Attr, Codes, Unit, resource
from schemas.links import (
    ConfigurationLink,
    DERListLink,
    DeviceInformationLink,
    DeviceStatusLink,
    FileStatusLink,
    FunctionSetAssignmentsListLink,
    IPInterfaceListLink,
    LogEventListLink,
    PowerStatusLink,
    RegistrationLink,
    SubscriptionListLink,
    TimeLink,
)
from schemas.links_metering import (
    FlowReservationRequestListLink,
    FlowReservationResponseListLink,
    LoadShedAvailabilityListLink,
)
from schemas.quantities import Temperature
from schemas.resources import Resource, SubscribableList, SubscribableResource
from schemas.types import (
    Boolean,
    DeviceCategoryType,
    HexBinary160,
    PINType,
    PollRate,
    SFDIType,
    TimeType,
    UInt8,
    UInt16,
    UInt32,
)


@resource
class AbstractDevice(SubscribableResource):
    """What EndDevice and SelfDevice share: identity, category and links to status resources."""

    ConfigurationLink_: ConfigurationLink | None = None
    DERListLink_: DERListLink | None = None
    deviceCategory: DeviceCategoryType | None = None
    DeviceInformationLink_: DeviceInformationLink | None = None
    DeviceStatusLink_: DeviceStatusLink | None = None
    FileStatusLink_: FileStatusLink | None = None
    IPInterfaceListLink_: IPInterfaceListLink | None = None
    lFDI: HexBinary160 | None = None
    LoadShedAvailabilityListLink_: LoadShedAvailabilityListLink | None = None
    LogEventListLink_: LogEventListLink | None = None
    PowerStatusLink_: PowerStatusLink | None = None
    sFDI: SFDIType


@resource
class DeviceStatus(Resource):
    """Operating state of a device."""

    pollRate: Attr[PollRate] | None = None
    changedTime: TimeType
    onCount: UInt16 | None = None
    opState: Annotated[UInt8, Codes(c.OpState)] | None = None
    opTime: Annotated[UInt32, Unit("s")] | None = None
    Temperature_: list[Temperature] = field(default_factory=list)
    TimeLink_: TimeLink | None = None


@resource
class EndDevice(AbstractDevice):
    """A device as the server knows it."""

    changedTime: Annotated[TimeType, Unit("s since 1970 UTC")]
    enabled: Boolean | None = None
    FlowReservationRequestListLink_: FlowReservationRequestListLink | None = None
    FlowReservationResponseListLink_: FlowReservationResponseListLink | None = None
    FunctionSetAssignmentsListLink_: FunctionSetAssignmentsListLink | None = None
    postRate: Annotated[UInt32, Unit("s")] | None = None
    RegistrationLink_: RegistrationLink | None = None
    SubscriptionListLink_: SubscriptionListLink | None = None


@resource
class EndDeviceList(SubscribableList):
    """Page of the EndDevices that the reader may see."""

    pollRate: Attr[PollRate] | None = None
    EndDevice_: list[EndDevice] = field(default_factory=list)


@resource
class Registration(Resource):
    """Proof of registration: the PIN (with check digit) that the client compares with its own."""

    pollRate: Attr[PollRate] | None = None
    dateTimeRegistered: Annotated[TimeType, Unit("s since 1970 UTC")]
    pIN: PINType


@resource
class SelfDevice(AbstractDevice):
    """The server as a device."""

    pollRate: Attr[PollRate] | None = None
