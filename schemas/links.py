"""Links to device, support, event and DER resources: one class for each resource or list."""

from schemas.fields import resource
from schemas.resources import Link, ListLink


@resource
class ActiveDERControlListLink(ListLink):
    """Link to the list of ActiveDERControl."""


@resource
class AssociatedDERProgramListLink(ListLink):
    """Link to the list of AssociatedDERProgram."""


@resource
class ConfigurationLink(Link):
    """Link to one Configuration."""


@resource
class CurrentDERProgramLink(Link):
    """Link to one CurrentDERProgram."""


@resource
class DefaultDERControlLink(Link):
    """Link to one DefaultDERControl."""


@resource
class DERAvailabilityLink(Link):
    """Link to one DERAvailability."""


@resource
class DERCapabilityLink(Link):
    """Link to one DERCapability."""


@resource
class DERControlListLink(ListLink):
    """Link to the list of DERControl."""


@resource
class DERCurveLink(Link):
    """Link to one DERCurve."""


@resource
class DERCurveListLink(ListLink):
    """Link to the list of DERCurve."""


@resource
class DERLink(Link):
    """Link to one DER."""


@resource
class DERListLink(ListLink):
    """Link to the list of DER."""


@resource
class DERProgramLink(Link):
    """Link to one DERProgram."""


@resource
class DERProgramListLink(ListLink):
    """Link to the list of DERProgram."""


@resource
class DERSettingsLink(Link):
    """Link to one DERSettings."""


@resource
class DERStatusLink(Link):
    """Link to one DERStatus."""


@resource
class DeviceCapabilityLink(Link):
    """Link to one DeviceCapability."""


@resource
class DeviceInformationLink(Link):
    """Link to one DeviceInformation."""


@resource
class DeviceStatusLink(Link):
    """Link to one DeviceStatus."""


@resource
class EndDeviceLink(Link):
    """Link to one EndDevice."""


@resource
class EndDeviceListLink(ListLink):
    """Link to the list of EndDevice."""


@resource
class FileLink(Link):
    """Link to one File."""


@resource
class FileListLink(ListLink):
    """Link to the list of File."""


@resource
class FileStatusLink(Link):
    """Link to one FileStatus."""


@resource
class FunctionSetAssignmentsListLink(ListLink):
    """Link to the list of FunctionSetAssignments."""


@resource
class IPAddrListLink(ListLink):
    """Link to the list of IPAddr."""


@resource
class IPInterfaceListLink(ListLink):
    """Link to the list of IPInterface."""


@resource
class LLInterfaceListLink(ListLink):
    """Link to the list of LLInterface."""


@resource
class LogEventListLink(ListLink):
    """Link to the list of LogEvent."""


@resource
class NeighborListLink(ListLink):
    """Link to the list of Neighbor."""


@resource
class NotificationListLink(ListLink):
    """Link to the list of Notification."""


@resource
class PowerStatusLink(Link):
    """Link to one PowerStatus."""


@resource
class RegistrationLink(Link):
    """Link to one Registration."""


@resource
class ResponseListLink(ListLink):
    """Link to the list of Response."""


@resource
class ResponseSetListLink(ListLink):
    """Link to the list of ResponseSet."""


@resource
class RPLInstanceListLink(ListLink):
    """Link to the list of RPLInstance."""


@resource
class RPLSourceRoutesListLink(ListLink):
    """Link to the list of RPLSourceRoutes."""


@resource
class SelfDeviceLink(Link):
    """Link to one SelfDevice."""


@resource
class SubscriptionListLink(ListLink):
    """Link to the list of Subscription."""


@resource
class SupportedLocaleListLink(ListLink):
    """Link to the list of SupportedLocale."""


@resource
class TimeLink(Link):
    """Link to one Time."""
