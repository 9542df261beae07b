"""One message of every kind, as the tests of the 2.0b wire send them."""

from decimal import Decimal

from openadr_ven.events import (
    Answer,
    Code,
    CreateOpt,
    Event,
    EventStatus,
    Interval,
    OptReason,
    OptType,
    Profile,
    Randomization,
    Signal,
    Target,
    Unit,
    Window,
)
from openadr_ven.v2b import messages as m
from openadr_ven.v2b import report_messages as r

NOW = 1_800_000_000
OK = m.EiResponse(requestID="r1")
ANSWER = Answer(
    requestID="r1",
    eventID='e<1> & "more"',
    modification=3,
    code=Code.OUT_OF_SEQUENCE,
    optType=OptType.OUT,
    description="an older number than before: 2 < 3",
)
SAMPLING = r.Sampling(least_s=10, most_s=900)
POWER_POINT = r.DataPoint(
    rID="battery-w",
    reportType="usage",
    readingType="Direct Read",
    resource="battery",
    measure=r.POWER,
    marketContext="http://dr/one",
    sampling=SAMPLING,
)
STATUS_POINT = r.DataPoint(
    rID="battery",
    reportType="x-resourceStatus",
    readingType="x-notApplicable",
    resource="battery",
    sampling=SAMPLING,
)
USAGE = r.ReportOffer(
    reportSpecifierID="usage",
    reportName="METADATA_TELEMETRY_USAGE",
    buffer_s=3600,
    points=(
        POWER_POINT,
        r.DataPoint(
            rID="battery-wh",
            reportType="usage",
            readingType="Direct Read",
            measure=r.ENERGY,
            sampling=SAMPLING,
        ),
    ),
    createdDateTime=NOW,
)
STATUS = r.ReportOffer(
    reportSpecifierID="status",
    reportName="METADATA_TELEMETRY_STATUS",
    buffer_s=3600,
    points=(STATUS_POINT,),
    createdDateTime=NOW,
)
HISTORY = r.ReportOffer(
    reportSpecifierID="history",
    reportName="METADATA_HISTORY_USAGE",
    buffer_s=86_400,
    points=(POWER_POINT,),
    createdDateTime=NOW,
)
REQUEST = r.ReportRequest(
    reportRequestID="q1",
    reportSpecifierID="usage",
    granularity_s=60,
    back_s=300,
    points=(("battery-w", "Direct Read"),),
    start=NOW,
    duration_s=3600,
)
ENDLESS = r.ReportRequest(
    reportRequestID="q2",
    reportSpecifierID="status",
    granularity_s=0,
    back_s=60,
    points=(("battery", "x-notApplicable"), ("charger", "x-notApplicable")),
    start=NOW,
)
DATA = r.Report(
    reportRequestID="q1",
    reportSpecifierID="usage",
    reportName="TELEMETRY_USAGE",
    createdDateTime=NOW + 300,
    start=NOW,
    eiReportID="p1",
    intervals=(
        r.ReportInterval(
            start=NOW,
            duration_s=60,
            data=(r.Datum(rID="battery-w", value=Decimal("-2500.5"), quality=r.GOOD),),
        ),
        r.ReportInterval(
            start=NOW + 60,
            duration_s=60,
            data=(r.Datum(rID="battery-w", value=Decimal(0), quality=r.NO_DATA),),
        ),
    ),
)
STATE = r.ResourceStatus(
    is_online=True,
    is_overridden=False,
    capacity=r.LoadControl(current=3.5, least=0.0, most=5.0, normal=5.0),
    level_offset=r.LoadControl(current=0.0),
    percent_offset=r.LoadControl(current=-0.5, least=-1.0),
    set_point=r.LoadControl(current=21.0, most=30.0),
)
STATUS_DATA = r.Report(
    reportRequestID="q2",
    reportSpecifierID="status",
    reportName="TELEMETRY_STATUS",
    createdDateTime=NOW + 60,
    start=NOW,
    intervals=(
        r.ReportInterval(start=NOW, data=(r.Datum(rID="battery", value=STATE),)),
        r.ReportInterval(
            start=NOW + 30,
            data=(r.Datum(rID="charger", value=r.ResourceStatus(is_online=False, is_overridden=True)),),
        ),
    ),
)
DISPATCH = Signal(
    signalID="s1",
    signalName="LOAD_DISPATCH",
    signalType="setpoint",
    unit=Unit.W,
    device_classes=("Storage", "EVSE"),
    intervals=(
        Interval(uid=0, duration_s=900, values=(Decimal("-2500.5"),)),
        Interval(uid=1, duration_s=900, values=(Decimal(3000),)),
    ),
)
PRICE = Signal(
    signalID="s2",
    signalName="ELECTRICITY_PRICE",
    signalType="price",
    unit=Unit.CURRENCY_PER_KWH,
    currency="EUR",
    intervals=(Interval(uid=0, duration_s=1800, values=(Decimal("0.31"),)),),
)
EVENT = Event(
    profile=Profile.V20B,
    eventID="e1 <&>",
    modification=2,
    start=NOW + 3600,
    duration_s=1800,
    signals=(DISPATCH, PRICE),
    marketContext="http://dr/one?a=1&b=2",
    createdDateTime=NOW,
    priority=1,
    is_test=True,
    eventStatus=EventStatus.FAR,
    vtnComment="two lines:\nsecond",
    is_response_required=True,
    randomization=Randomization(late_s=120),
    notification_s=600,
    ramp_up_s=-60,
    recovery_s=30,
    targets=(
        Target(kind="endDeviceAsset", value="Storage"),
        Target(kind="groupID", value="east"),
        Target(kind="resourceID", value="battery"),
        Target(kind="resourceID", value="charger"),
        Target(kind="venID", value="ven-1"),
    ),
)
OPT = CreateOpt(
    optID="o1",
    optType=OptType.OUT,
    reason=OptReason.OVERRIDE_STATUS,
    resources=("battery", "charger"),
    eventID="e1",
    modification=2,
    requestID="r1",
)
SCHEDULE = CreateOpt(
    optID="o2",
    optType=OptType.OUT,
    reason=OptReason.SCHEDULE,
    windows=(Window(start=NOW, duration_s=3600), Window(start=NOW + 86_400, duration_s=None)),
    marketContext="http://dr/one",
    requestID="r1",
)
CANCEL = m.CancelReport(requestID="r1", reportRequestIDs=("q1", "q2"), is_to_follow=True, venID="ven-1")

MESSAGES: tuple[m.Message, ...] = (
    m.QueryRegistration(requestID="r1"),
    m.CreatePartyRegistration(requestID="r1", venName="Site & Co", is_signed=True),
    m.CreatePartyRegistration(requestID="r1", venName="Site", registrationID="g1", venID="ven-1"),
    m.CreatedPartyRegistration(response=OK, vtnID="vtn", registrationID="g1", venID="ven-1", poll_s=10),
    m.CreatedPartyRegistration(response=OK, vtnID="vtn"),
    m.CancelPartyRegistration(requestID="r1", registrationID="g1", venID="ven-1"),
    m.CanceledPartyRegistration(response=OK, registrationID="g1", venID="ven-1"),
    m.RequestReregistration(venID="ven-1"),
    m.Poll(venID="ven <1>"),
    m.Response(response=m.EiResponse(code=463, text="who & what", requestID=""), venID="ven-1"),
    m.RequestEvent(requestID="r1", venID="ven-1"),
    m.RequestEvent(requestID="r1", venID="ven-1", replyLimit=5),
    m.DistributeEvent(vtnID="vtn", requestID="r1", events=(), response=OK),
    m.DistributeEvent(vtnID="vtn", requestID="r1", events=(EVENT, EVENT)),
    m.CreatedEvent(venID="ven-1", answers=(ANSWER, ANSWER), response=m.EiResponse()),
    m.CreateOptMessage(venID="ven-1", requestID="r1", createdDateTime=NOW, opt=OPT),
    m.CreateOptMessage(venID="ven-1", requestID="r1", createdDateTime=NOW, opt=SCHEDULE),
    m.CreatedOpt(response=OK, optID="o1"),
    m.CancelOpt(requestID="r1", optID="o2", venID="ven-1"),
    m.CanceledOpt(response=OK, optID="o2"),
    m.RegisterReport(requestID="r1", offers=(USAGE, STATUS, HISTORY), venID="ven-1"),
    m.RegisterReport(requestID="r1", offers=(), venID="ven-1"),
    m.RegisteredReport(response=OK, requests=(REQUEST, ENDLESS), venID="ven-1"),
    m.CreateReport(requestID="r1", requests=(REQUEST, ENDLESS), venID="ven-1"),
    m.CreatedReport(response=OK, pending=("q1", "q2"), venID="ven-1"),
    m.CreatedReport(response=OK, pending=(), venID="ven-1"),
    m.UpdateReport(requestID="r1", reports=(DATA, STATUS_DATA), venID="ven-1"),
    m.UpdatedReport(response=OK, venID="ven-1"),
    m.UpdatedReport(response=OK, cancel=CANCEL, venID="ven-1"),
    CANCEL,
    m.CanceledReport(response=OK, pending=("q2",), venID="ven-1"),
)
