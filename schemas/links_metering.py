"""Links to metering, pricing, billing, prepayment, messaging, demand response and flow reservations."""

from schemas.fields import resource
from schemas.resources import Link, ListLink


@resource
class AccountBalanceLink(Link):
    """Link to one AccountBalance."""


@resource
class ActiveBillingPeriodListLink(ListLink):
    """Link to the list of ActiveBillingPeriod."""


@resource
class ActiveCreditRegisterListLink(ListLink):
    """Link to the list of ActiveCreditRegister."""


@resource
class ActiveEndDeviceControlListLink(ListLink):
    """Link to the list of ActiveEndDeviceControl."""


@resource
class ActiveFlowReservationListLink(ListLink):
    """Link to the list of ActiveFlowReservation."""


@resource
class ActiveProjectionReadingListLink(ListLink):
    """Link to the list of ActiveProjectionReading."""


@resource
class ActiveSupplyInterruptionOverrideListLink(ListLink):
    """Link to the list of ActiveSupplyInterruptionOverride."""


@resource
class ActiveTargetReadingListLink(ListLink):
    """Link to the list of ActiveTargetReading."""


@resource
class ActiveTextMessageListLink(ListLink):
    """Link to the list of ActiveTextMessage."""


@resource
class ActiveTimeTariffIntervalListLink(ListLink):
    """Link to the list of ActiveTimeTariffInterval."""


@resource
class AssociatedUsagePointLink(Link):
    """Link to one AssociatedUsagePoint."""


@resource
class BillingPeriodListLink(ListLink):
    """Link to the list of BillingPeriod."""


@resource
class BillingReadingListLink(ListLink):
    """Link to the list of BillingReading."""


@resource
class BillingReadingSetListLink(ListLink):
    """Link to the list of BillingReadingSet."""


@resource
class ConsumptionTariffIntervalListLink(ListLink):
    """Link to the list of ConsumptionTariffInterval."""


@resource
class CreditRegisterListLink(ListLink):
    """Link to the list of CreditRegister."""


@resource
class CustomerAccountLink(Link):
    """Link to one CustomerAccount."""


@resource
class CustomerAccountListLink(ListLink):
    """Link to the list of CustomerAccount."""


@resource
class CustomerAgreementListLink(ListLink):
    """Link to the list of CustomerAgreement."""


@resource
class DemandResponseProgramLink(Link):
    """Link to one DemandResponseProgram."""


@resource
class DemandResponseProgramListLink(ListLink):
    """Link to the list of DemandResponseProgram."""


@resource
class EndDeviceControlListLink(ListLink):
    """Link to the list of EndDeviceControl."""


@resource
class FlowReservationRequestListLink(ListLink):
    """Link to the list of FlowReservationRequest."""


@resource
class FlowReservationResponseListLink(ListLink):
    """Link to the list of FlowReservationResponse."""


@resource
class HistoricalReadingListLink(ListLink):
    """Link to the list of HistoricalReading."""


@resource
class LoadShedAvailabilityListLink(ListLink):
    """Link to the list of LoadShedAvailability."""


@resource
class MessagingProgramListLink(ListLink):
    """Link to the list of MessagingProgram."""


@resource
class MeterReadingLink(Link):
    """Link to one MeterReading."""


@resource
class MeterReadingListLink(ListLink):
    """Link to the list of MeterReading."""


@resource
class MirrorUsagePointListLink(ListLink):
    """Link to the list of MirrorUsagePoint."""


@resource
class PrepaymentLink(Link):
    """Link to one Prepayment."""


@resource
class PrepaymentListLink(ListLink):
    """Link to the list of Prepayment."""


@resource
class PrepayOperationStatusLink(Link):
    """Link to one PrepayOperationStatus."""


@resource
class PriceResponseCfgListLink(ListLink):
    """Link to the list of PriceResponseCfg."""


@resource
class ProjectionReadingListLink(ListLink):
    """Link to the list of ProjectionReading."""


@resource
class RateComponentLink(Link):
    """Link to one RateComponent."""


@resource
class RateComponentListLink(ListLink):
    """Link to the list of RateComponent."""


@resource
class ReadingLink(Link):
    """Link to one Reading."""


@resource
class ReadingListLink(ListLink):
    """Link to the list of Reading."""


@resource
class ReadingSetListLink(ListLink):
    """Link to the list of ReadingSet."""


@resource
class ReadingTypeLink(Link):
    """Link to one ReadingType."""


@resource
class ServiceSupplierLink(Link):
    """Link to one ServiceSupplier."""


@resource
class SupplyInterruptionOverrideListLink(ListLink):
    """Link to the list of SupplyInterruptionOverride."""


@resource
class TargetReadingListLink(ListLink):
    """Link to the list of TargetReading."""


@resource
class TariffProfileLink(Link):
    """Link to one TariffProfile."""


@resource
class TariffProfileListLink(ListLink):
    """Link to the list of TariffProfile."""


@resource
class TextMessageListLink(ListLink):
    """Link to the list of TextMessage."""


@resource
class TimeTariffIntervalListLink(ListLink):
    """Link to the list of TimeTariffInterval."""


@resource
class UsagePointLink(Link):
    """Link to one UsagePoint."""


@resource
class UsagePointListLink(ListLink):
    """Link to the list of UsagePoint."""
